using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>
/// Brings back what waits for a limit that has room again: a rate's time has come, or a slot was freed where no worker saw it. It runs on every node,
/// and the nodes take turns: each key costs a look at its slots and starts.
/// </summary>
internal sealed class LimitLoop(NpgsqlDataSource db, QueueCatalog queues, JobWakes wakes, TimeProvider clock, ILogger<LimitLoop> log)
    : PollingService(clock, log)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_forgetting = TimeSpan.FromMinutes(10);

    private readonly TimeProvider _clock = clock;
    private long _forgotten = clock.GetTimestamp();
    private int _asked;

    /// <summary>Looks without waiting for a turn: numbers were changed, or a queue was resumed.</summary>
    public void LookNow()
    {
        Volatile.Write(ref _asked, 1);
        Wake();
    }

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await using var connection = await db.OpenConnectionAsync(stopping);
        if (_clock.GetElapsedTime(_forgotten) >= s_forgetting)
        {
            await ForgetAsync(connection, stopping);
            _forgotten = _clock.GetTimestamp();
        }

        var isAsked = Interlocked.Exchange(ref _asked, 0) == 1;
        if (await LimitTurn.TakeAsync(connection, queues.App, s_interval, isAsked, stopping) is { } others) return AtLeast(others);

        var opens = await PromoteAsync(connection, stopping);
        if (opens is null || opens >= s_interval) return s_interval;

        await LimitTurn.AgainAsync(connection, queues.App, AtLeast(opens.Value), stopping);
        return AtLeast(opens.Value);
    }

    /// <summary>Every key once. Returns when time alone will open the next.</summary>
    internal async Task<TimeSpan?> PromoteAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await PromoteStatement.MakeShutAsync(connection, queues.App, ct);
        TimeSpan? opens = null;
        for (long? after = 0; after is not null;)
        {
            var page = await PromoteStatement.PageAsync(connection, queues.App, after.Value, ct);
            if (page.Count > 0) wakes.LookAgain();
            if (opens is null || page.Opens < opens) opens = page.Opens ?? opens;
            after = page.Next;
        }

        return opens;
    }

    /// <summary>Deletes keys that nobody uses, by pages.</summary>
    internal static async Task ForgetAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select keelback.forget_buckets(1000)", connection);
        while (await command.ExecuteScalarAsync(ct) is 1000)
        {
        }
    }

    private static TimeSpan AtLeast(TimeSpan rest) => rest > s_least ? rest : s_least;
}
