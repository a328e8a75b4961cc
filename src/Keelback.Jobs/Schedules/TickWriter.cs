using Keelback.Postgres;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Makes the calls of a pass and enqueues them; what one of them is refused for is its own error, and no other's.</summary>
internal sealed class TickWriter(ScheduleCalls calls, EnqueueGate gate, EnqueueWriter writer)
{
    private const string Savepoint = "calls";

    private readonly Dictionary<int, DateTimeOffset> _covered = [];

    /// <summary>Runs that were cancelled for a new one, and those below them.</summary>
    public List<long> Cancelled { get; } = [];

    /// <summary>What was written.</summary>
    public List<EnqueuePlan> Plans { get; } = [];

    /// <summary>Each call has a run or an error afterwards.</summary>
    public async Task WriteAsync(NpgsqlTransaction transaction, IReadOnlyList<TickCall> ticks, string app, CancellationToken ct)
    {
        if (ticks.Count == 0) return;

        // At once, as nearly every pass goes. Where one is refused, one after the other, so that it is known which.
        var connection = transaction.Connection!;
        var refused = await RefusalAsync(transaction, () => AllAsync(ticks, connection, app, ct), ct);
        if (refused is null) return;

        _covered.Clear();
        await TickStatements.WaitAtMostAsync(connection, Patience.Alone, ct);
        foreach (var tick in ticks)
        {
            tick.Clear();
            if (!Make(tick)) continue;
            tick.Error = await RefusalAsync(transaction, () => OneAsync(tick, connection, app, ct), ct);
            if (tick.Error is { } e && Patience.IsOver(e)) tick.Error = JobErrors.TickHeldUp(tick.Schedule.Name, e);
            if (tick.IsEnqueued) Cover(tick);
        }
    }

    private async Task AllAsync(IReadOnlyList<TickCall> ticks, NpgsqlConnection connection, string app, CancellationToken ct)
    {
        var plain = new List<TickCall>();
        foreach (var tick in ticks)
        {
            if (!Make(tick)) continue;
            if (tick.IsPlain) plain.Add(tick);
            else await OneAsync(tick, connection, app, ct);
            if (tick.IsPlain || tick.IsEnqueued) Cover(tick);
        }

        // A description that several ticks share is a run for each.
        var plan = EnqueuePlan.Of(plain.Select(tick => new Job(tick.Job!.Parts)));
        await WriteAsync(plan, plain, connection, ct);
    }

    private async Task OneAsync(TickCall tick, NpgsqlConnection connection, string app, CancellationToken ct)
    {
        // First, since the run may hold the unique key of the one that replaces it.
        if (tick.Replaces is { } previous) await CancelGraphAsync(previous, connection, app, ct);
        await WriteAsync(tick.Plan!, [tick], connection, ct);
    }

    private async Task WriteAsync(EnqueuePlan plan, List<TickCall> ticks, NpgsqlConnection connection, CancellationToken ct)
    {
        if (ticks.Count == 0) return;
        try
        {
            gate.Pass(plan);
        }
        catch (Exception e)
        {
            throw new TickRefusedException(e); // a filter's, or a secret without its key
        }

        var ids = await writer.WriteAsync(plan, connection, ct);
        Plans.Add(plan);
        for (var i = 0; i < ticks.Count; i++) (ticks[i].Run, ticks[i].IsEnqueued) = (ids[i], plan.Roots[i].Answer is null);
    }

    private bool Make(TickCall tick)
    {
        try
        {
            var schedule = tick.Schedule;
            tick.Job = calls.Make(_covered.TryGetValue(schedule.Id, out var at) ? schedule with { CoveredAt = at } : schedule, tick.At);
            tick.Plan = EnqueuePlan.Of([tick.Job]);
            return true;
        }
        catch (Exception e)
        {
            tick.Error = e; // the code's own, or a payload that cannot be stored
            return false;
        }
    }

    // The interval of the schedule's next call in this pass begins here. Of a tick that was refused it goes to that call whole.
    private void Cover(TickCall tick) => _covered[tick.Schedule.Id] = tick.At;

    private async Task CancelGraphAsync(long run, NpgsqlConnection connection, string app, CancellationToken ct)
    {
        while (await OpenRuns.PageAsync(connection, OpenRuns.OfGraph, run, app, ct) is { Length: > 0 } open)
        {
            var ended = await CancelStatement.RunAsync(connection, open, app, ct);
            if (ended.Count == 0) return;
            Cancelled.AddRange(ended);
        }
    }

    // Null: it was written. Else nothing of it is left, and the transaction goes on.
    private async Task<Exception?> RefusalAsync(NpgsqlTransaction transaction, Func<Task> write, CancellationToken ct)
    {
        var (cancelled, plans) = (Cancelled.Count, Plans.Count);
        await transaction.SaveAsync(Savepoint, ct);
        try
        {
            await write();
            await transaction.ReleaseAsync(Savepoint, ct);
            return null;
        }
        catch (Exception e) when (IsRefusal(e))
        {
            await transaction.RollbackAsync(Savepoint, ct);
            Cancelled.RemoveRange(cancelled, Cancelled.Count - cancelled);
            Plans.RemoveRange(plans, Plans.Count - plans);
            return (e as TickRefusedException)?.InnerException ?? e;
        }
    }

    // What it says of this call it says whoever tries: 22 data, 54 limits; and a row that it needs may be locked. An outage is nobody's.
    private static bool IsRefusal(Exception e) =>
        Patience.IsOver(e) || e is TickRefusedException or PostgresException { SqlState: ['2', '2', ..] or ['5', '4', ..] } || e is KeelbackException && !Outage.Is(e);

    /// <summary>The gate lets a call not pass; the inner exception says why.</summary>
    private sealed class TickRefusedException(Exception inner) : Exception(inner.Message, inner);
}
