using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Fires schedules when they are due, on every node.</summary>
internal sealed class Ticker(
    NpgsqlDataSource db, QueueCatalog queues, JobKinds kinds, ScheduleCatalog catalog, ScheduleCalls calls, EnqueueGate gate, EnqueueWriter writer,
    JobWakes wakes, JobNews news, JobEvents events, IOptions<JobsOptions> options, TimeProvider clock, ILogger<Ticker> log)
    : PollingService(clock, log)
{
    private const int BatchSize = 100;

    // Another node may be at what is due.
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(5);

    private readonly SilentSchedules _silent = new(clock, log);

    private TickerIdentity Me => new(queues.App, kinds.Names, [.. catalog.All.Select(schedule => schedule.Name)]);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        if (await FireAsync(BatchSize, stopping) == BatchSize) return TimeSpan.Zero;

        await using var connection = await db.OpenConnectionAsync(stopping);
        await _silent.LookAsync(connection, Me, stopping);
        var most = options.Value.PollInterval < TimeSpan.FromSeconds(1) ? options.Value.PollInterval : TimeSpan.FromSeconds(1);
        return await TickStatements.UntilNextAsync(connection, Me, stopping) is not { } next || next > most ? most
            : next > s_least ? next : s_least;
    }

    /// <summary>One pass; how many schedules fired.</summary>
    internal async Task<int> FireAsync(int limit, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var pass = new TickPass(transaction, new(calls, gate, writer));
        await pass.RunAsync(Me, limit, ct);
        if (pass.Rows.Count == 0) return 0;
        await transaction.CommitAsync(ct);

        foreach (var call in pass.Calls)
            if (call.Error is { } e)
                Log.TickFailed(log, call.Schedule.Name, call.At, e);
        foreach (var (schedule, tick) in pass.Passed) Log.TicksPassed(log, schedule.Name, tick.Count, tick.At, tick.Outcome);

        Tell(pass);
        if (pass.Cancelled.Count > 0) wakes.ClaimsTaken();
        if (pass.Calls.Any(call => call.Run is not null))
        {
            wakes.Workers();
            wakes.Timers();
        }

        return pass.Rows.Count;
    }

    private void Tell(TickPass pass)
    {
        news.Ended(pass.Cancelled);
        foreach (var plan in pass.Plans) news.Enqueued(plan);
        if (!events.AreWanted) return;

        foreach (var call in pass.Calls)
            if (call is { IsEnqueued: true, Run: { } run }) events.Raise(new ScheduleTicked(call.Schedule.Name, call.At, run));
            else if (call.Error is { } e) events.Raise(new ScheduleTickFailed(call.Schedule.Name, call.At, JobError.From(e)));
        foreach (var (schedule, tick) in pass.Passed) events.Raise(new ScheduleTicksPassed(schedule.Name, tick.At, tick.Outcome, tick.Count));
    }
}
