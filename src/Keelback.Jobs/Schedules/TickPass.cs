using Npgsql;

namespace Keelback.Jobs;

/// <summary>What one node fires in one transaction: schedules that are due, each locked, their ticks decided, their runs enqueued.</summary>
/// <remarks>The lock makes a tick one node's; the unique row makes it one tick even when clocks or definitions go back.</remarks>
internal sealed class TickPass(NpgsqlTransaction transaction, TickWriter writer)
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(5);

    private readonly NpgsqlConnection _connection = transaction.Connection!;
    private readonly List<(int Schedule, DecidedTick Tick)> _decided = [];
    private readonly List<TickCall> _calls = [];
    private readonly List<ScheduleProgress> _progress = [];

    /// <summary>The schedules that were due.</summary>
    public IReadOnlyList<ScheduleRow> Rows { get; private set; } = [];

    /// <summary>Runs that were cancelled for a new one, and those below them.</summary>
    public IReadOnlyList<long> Cancelled => writer.Cancelled;

    /// <summary>What it wrote.</summary>
    public IReadOnlyList<EnqueuePlan> Plans => writer.Plans;

    public IReadOnlyList<TickCall> Calls => _calls;

    /// <summary>Ticks that did not fire, as far as an operator should know.</summary>
    public IEnumerable<(ScheduleRow Schedule, DecidedTick Tick)> Passed =>
        from d in _decided
        where d.Tick.Outcome is JobTickOutcome.TooLate or JobTickOutcome.Coalesced or JobTickOutcome.OverCatchUpLimit
        select (Rows.First(row => row.Id == d.Schedule), d.Tick);

    /// <param name="me">What this node can fire.</param>
    /// <param name="limit">Schedules at most.</param>
    /// <param name="ct">Cancels.</param>
    public async Task RunAsync(TickerIdentity me, int limit, CancellationToken ct)
    {
        await TickStatements.WaitAtMostAsync(_connection, Patience.Usual, ct);
        Rows = await TickStatements.LockDueAsync(_connection, me, limit, ct);
        if (Rows.Count == 0) return;

        var open = await TickStatements.OpenAsync(_connection, [.. Rows.Select(row => row.LastRun).OfType<long>()], ct);
        foreach (var row in Rows) Decide(row, row.LastRun is { } last && open.Contains(last));

        var made = await TickStatements.InsertAsync(_connection, _decided, ct);
        FailPoint.Hit(FailPoint.TickInsert);

        // A tick that exists has had its run; one that was queued has its row, and comes now.
        _calls.RemoveAll(call => !call.HasRow && !made.Contains((call.Schedule.Id, call.At.ToUniversalTime())));

        await writer.WriteAsync(transaction, _calls, me.App, ct);
        await TickStatements.SettleAsync(_connection, _calls, ct);
        await TickStatements.AdvanceAsync(_connection, [.. _progress.Select(Counted)], ct);
    }

    private void Decide(ScheduleRow row, bool isOpen)
    {
        var (options, queued, last) = (row.Definition.Options, row.QueuedAt, (DateTimeOffset?)null);
        var replaces = isOpen && options.Overlap == Overlap.CancelPrevious ? row.LastRun : null;

        // A tick that waits comes before a later one, whose interval begins with it; so it does not outwait a policy that was changed.
        if (queued is { } waiting && (!isOpen || options.Overlap is Overlap.Allow or Overlap.CancelPrevious))
        {
            _calls.Add(new(row, waiting) { HasRow = true, Replaces = replaces });
            (queued, isOpen) = (null, true);
        }

        if (row.NextAt is { } tick && row.Source.Fires(tick) <= row.Now)
        {
            var runs = row.Runs + (row.QueuedAt is null ? 0 : 1);
            foreach (var decided in TickRule.Decide(row.Source, options, new(tick, runs, isOpen, queued is not null), row.Now))
            {
                _decided.Add((row.Id, decided));
                last = decided.Until ?? decided.At;
                if (decided.Outcome == JobTickOutcome.Enqueued) _calls.Add(new(row, decided.At) { Replaces = replaces });
                if (decided.Outcome == JobTickOutcome.Queued) queued = decided.At;
            }
        }

        var failed = row.FailedAt is { } refused && !TickRule.IsLate(row.Source, options, refused, row.Now) ? row.FailedAt : null;
        if (failed is { } again && row.RetryAt <= row.Now && !_calls.Exists(call => call.Schedule.Id == row.Id)) // a later call has its interval
            _calls.Add(new(row, again) { HasRow = true, Replaces = replaces });

        _progress.Add(new(row) { Last = last, Queued = queued, Failed = failed });
    }

    private static TimeSpan Wait(int tries) => TimeSpan.FromSeconds(Math.Min(1 << Math.Min(tries, 20), s_longestWait.TotalSeconds));

    // Only what was enqueued counts, so the schedule goes on where its last call was refused.
    private ScheduleProgress Counted(ScheduleProgress progress)
    {
        var (row, max) = (progress.Schedule, progress.Schedule.Definition.Options.MaxRuns);
        var calls = _calls.Where(call => call.Schedule.Id == row.Id).ToList();
        var enqueued = calls.Where(call => call.IsEnqueued).ToList();
        var runs = row.Runs + enqueued.Count;
        var next = runs + (progress.Queued is null ? 0 : 1) >= max ? null
            : progress.Last is { } last ? row.Source.Next(last)
            : row.NextAt ?? (row.LastAt is { } ended ? row.Source.Next(ended) : null);
        progress = progress with { Next = next, LastRun = enqueued.LastOrDefault()?.Run, Covered = enqueued.LastOrDefault()?.At, Runs = enqueued.Count };

        // The last one that failed is tried again, unless a later tick waits: with it comes what the others left.
        if (progress.Queued is not null) return progress with { Failed = null };
        return calls.LastOrDefault() switch
        {
            { Error: not null } failed => progress with { Failed = failed.At, RetryAt = row.Now + Wait(row.Tries), Tries = row.Tries + 1 },
            null when progress.Failed is not null => progress with { RetryAt = row.RetryAt, Tries = row.Tries },
            _ => progress with { Failed = null },
        };
    }
}
