using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Fires timers when they are due, on every node: what waited becomes ready; attempts that did not stop in time lose their run.</summary>
internal sealed class TimerLoop(
    NpgsqlDataSource db, QueueCatalog queues, JobWakes wakes, IOptions<JobsOptions> options, TimeProvider clock, ILogger<TimerLoop> log)
    : PollingService(clock, log)
{
    private const int BatchSize = 1000;

    // Above it while batches are full: a held snapshot keeps the fired rows, and each batch would walk over them again.
    private DateTime _mark = DateTime.MinValue;

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await using var connection = await db.OpenConnectionAsync(stopping);
        var fired = await FireAsync(connection, queues.App, DateTime.SpecifyKind(_mark, DateTimeKind.Utc), options.Value, stopping);
        if (fired.Count > 0) wakes.Workers();

        _mark = fired.Count == BatchSize ? fired.Last.AddTicks(-10) : DateTime.MinValue;
        if (fired.Count == BatchSize) return TimeSpan.Zero;

        var most = options.Value.PollInterval;
        return await TimerStatement.UntilNextAsync(connection, queues.App, stopping) is not { } next || next > most ? most
            : next > TimeSpan.FromMilliseconds(1) ? next : TimeSpan.FromMilliseconds(1);
    }

    /// <summary>One batch, on a connection of the caller's: the timers go with what they caused, or not at all.</summary>
    internal static async Task<FiredTimers> FireAsync(
        NpgsqlConnection connection, string app, DateTime after, JobsOptions options, CancellationToken ct, bool own = true)
    {
        await using var transaction = own ? await connection.BeginTransactionAsync(ct) : null;
        var fired = await TimerStatement.RunAsync(connection, app, after, BatchSize, ct);

        var failed = fired.TimedOut.Select(claim => (Outcome)new Outcome.Failed(
            claim, JobError.From(JobErrors.TimedOut(claim.Kind, claim.Timeout ?? default)), JobAttemptOutcome.TimedOut,
            claim.IsLast ? null : Backoff.Next(claim.Attempt - claim.Crashes, options))).ToList();
        if (failed.Count > 0) await Exchange.RunAsync(connection, new() { Outcomes = failed }, prepare: false, ct);

        if (transaction is not null) await transaction.CommitAsync(ct);
        return fired;
    }
}
