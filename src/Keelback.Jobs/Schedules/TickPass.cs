using Npgsql;

namespace Keelback.Jobs;

/// <summary>What one node fires in one transaction: schedules that are due, each locked, their ticks decided, their runs enqueued.</summary>
/// <remarks>The lock makes a tick one node's; the unique row makes it one tick even when clocks or definitions go back.</remarks>
internal sealed class TickPass(NpgsqlConnection connection, ScheduleCalls calls, EnqueueGate gate, EnqueueWriter writer)
{
    private readonly List<(int Schedule, DecidedTick Tick)> _decided = [];
    private readonly List<TickCall> _calls = [];
    private readonly List<ScheduleProgress> _progress = [];
    private readonly List<long> _cancel = [];

    /// <summary>The schedules that were due.</summary>
    public IReadOnlyList<ScheduleRow> Rows { get; private set; } = [];

    /// <summary>Runs that were cancelled for a new one, and those below them.</summary>
    public List<long> Cancelled { get; } = [];

    public IReadOnlyList<TickCall> Calls => _calls;

    /// <summary>Ticks that did not fire, as far as an operator should know.</summary>
    public IEnumerable<(ScheduleRow Schedule, DecidedTick Tick)> Passed =>
        from d in _decided
        where d.Tick.Outcome is JobTickOutcome.TooLate or JobTickOutcome.Coalesced or JobTickOutcome.OverCatchUpLimit
        select (Rows.First(row => row.Id == d.Schedule), d.Tick);

    /// <param name="me">What this node can fire.</param>
    /// <param name="limit">Schedules at most.</param>
    /// <param name="only">One schedule.</param>
    /// <param name="refused">Why its calls are not enqueued, but noted as failed.</param>
    /// <param name="ct">Cancels.</param>
    public async Task RunAsync(TickerIdentity me, int limit, int? only, Exception? refused, CancellationToken ct)
    {
        Rows = await TickStatements.LockDueAsync(connection, me, only, limit, ct);
        if (Rows.Count == 0) return;

        var open = await TickStatements.OpenAsync(connection, [.. Rows.Select(row => row.LastRun).OfType<long>()], ct);
        foreach (var row in Rows) Decide(row, row.LastRun is { } last && open.Contains(last));

        var made = await TickStatements.InsertAsync(connection, _decided, ct);
        FailPoint.Hit(FailPoint.TickInsert);

        // A tick that exists has had its run; one that was queued has its row, and comes now.
        _calls.RemoveAll(call => call.At != call.Schedule.QueuedAt && !made.Contains((call.Schedule.Id, call.At.ToUniversalTime())));

        var app = me.App;
        foreach (var previous in _cancel) await CancelGraphAsync(previous, app, ct);
        await EnqueueAsync(refused, ct);
        await TickStatements.SettleAsync(connection, _calls, ct);

        var runs = _calls.Where(call => call.Run is not null).GroupBy(call => call.Schedule.Id).ToDictionary(g => g.Key, g => g.Last().Run);
        await TickStatements.AdvanceAsync(connection, [.. _progress.Select(p => p with { LastRun = runs.GetValueOrDefault(p.Schedule.Id) })], ct);
    }

    private void Decide(ScheduleRow row, bool isOpen)
    {
        var (queued, next, last, runs) = (row.QueuedAt, row.NextAt, (DateTimeOffset?)null, 0);
        if (queued is { } waiting && !isOpen)
        {
            _calls.Add(new(row, waiting));
            (queued, isOpen) = (null, true);
        }

        if (next is { } tick && row.Source.Fires(tick) <= row.Now)
        {
            var (ticks, following) = TickRule.Decide(row.Source, row.Definition.Options, new(tick, row.Runs, isOpen, queued is not null), row.Now);
            foreach (var decided in ticks)
            {
                _decided.Add((row.Id, decided));
                last = decided.Until ?? decided.At;
                if (decided.Outcome == JobTickOutcome.Enqueued) _calls.Add(new(row, decided.At));
                if (decided.Outcome == JobTickOutcome.Queued) queued = decided.At;
                if (decided.Outcome is JobTickOutcome.Enqueued or JobTickOutcome.Queued) runs++;
            }

            if (isOpen && row.Definition.Options.Overlap == Overlap.CancelPrevious && runs > 0) _cancel.Add(row.LastRun!.Value);
            next = following;
        }

        _progress.Add(new(row, next, last, null, queued, runs));
    }

    private async Task CancelGraphAsync(long run, string app, CancellationToken ct)
    {
        while (await OpenRuns.PageAsync(connection, OpenRuns.OfGraph, run, app, ct) is { Length: > 0 } open)
        {
            var ended = await CancelStatement.RunAsync(connection, open, app, ct);
            if (ended.Count == 0) return;
            Cancelled.AddRange(ended);
        }
    }

    private async Task EnqueueAsync(Exception? refused, CancellationToken ct)
    {
        // Ticks of one pass: each sees the one before it as its last.
        DateTimeOffset? before = null;
        ScheduleRow? schedule = null;
        foreach (var call in _calls.OrderBy(call => call.Schedule.Id).ThenBy(call => call.At))
        {
            var row = call.Schedule == schedule ? call.Schedule with { LastAt = before } : call.Schedule;
            (schedule, before) = (call.Schedule, call.At);
            try
            {
                if (refused is not null) throw refused;
                call.Job = calls.Make(row, call.At);
                _ = EnqueuePlan.Of([call.Job]);
            }
            catch (Exception e)
            {
                (call.Job, call.Error) = (null, e); // the code's own, or a payload that cannot be stored: this tick's, and no other schedule's
            }
        }

        var good = _calls.Where(call => call.Job is not null).ToList();
        var plan = EnqueuePlan.Of(good.Select(call => call.Job!));
        try
        {
            gate.Pass(plan);
        }
        catch (Exception e)
        {
            throw new TickRefusedException(e); // a filter's, or a secret without its key: of which call, the gate does not say
        }

        var ids = await writer.WriteAsync(plan, connection, ct);
        foreach (var (call, id) in good.Zip(ids)) call.Run = id;
    }
}

/// <summary>Some call of a pass may not be enqueued; the inner exception says why.</summary>
internal sealed class TickRefusedException(Exception inner) : Exception(inner.Message, inner);
