using System.Globalization;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Adds up what the agent met, per minute, per hour and in all, and writes it: a few rows for thousands of runs.</summary>
internal sealed class RollupBatch
{
    private readonly Dictionary<(short Step, DateTimeOffset At, short Queue, string Kind), Figures> _sums = [];
    private readonly Dictionary<short, int> _open = [];

    public void Enqueued(RunFact run)
    {
        foreach (var sums in At(run, run.EnqueuedAt)) sums.Enqueued++;
        Opened(run, +1);
    }

    public void Ended(RunFact run)
    {
        TimeSpan? took = run is { StartedAt: { } from, FinishedAt: { } to } ? to - from : null;
        TimeSpan? waited = run is { StartedAt: { } at, Attempts: <= 1 } ? at - (run.DueAt > run.EnqueuedAt ? run.DueAt.Value : run.EnqueuedAt) : null;
        foreach (var sums in At(run, run.FinishedAt ?? run.EnqueuedAt))
        {
            switch (run.State)
            {
                case 1: sums.Succeeded++; break;
                case 2 or 5: sums.Failed++; break;
                case 3: sums.Cancelled++; break;
                default: sums.Other++; break;
            }

            sums.Retries += Math.Max(0, run.Attempts - Math.Max(1, run.Redriven)); // those before were counted at the end before
            if (took is { } t) (sums.Took[Figures.Step(t)], sums.TookMs) = (sums.Took[Figures.Step(t)] + 1, sums.TookMs + (long)t.TotalMilliseconds);
            if (waited is { } w) (sums.Waited[Figures.Step(w)], sums.WaitedMs) = (sums.Waited[Figures.Step(w)] + 1, sums.WaitedMs + (long)w.TotalMilliseconds);
        }

        Opened(run, -1);
    }

    /// <summary>A run that had ended runs again.</summary>
    public void Reopened(RunFact run) => Opened(run, +1);

    public IEnumerable<NpgsqlBatchCommand> Commands()
    {
        if (_sums.Count > 0) yield return Sums();
        if (_open.Count > 0)
            yield return Statement.Of(
                """
                insert into keelback.queue_look (queue, open) select * from unnest($1, $2)
                on conflict (queue) do update set open = queue_look.open + excluded.open
                """, Statement.P(_open.Keys.ToArray()), Statement.P(_open.Values.Select(n => (long)n).ToArray()));
    }

    private NpgsqlBatchCommand Sums()
    {
        var rows = _sums.OrderBy(s => s.Key).ToList();
        long[] Of(Func<Figures, long> figure) => [.. rows.Select(r => figure(r.Value))];
        string[] Distribution(Func<Figures, long[]> figure) =>
            [.. rows.Select(r => "{" + string.Join(',', figure(r.Value).Select(n => n.ToString(CultureInfo.InvariantCulture))) + "}")];

        return Statement.Of(
            """
            insert into keelback.rollup as t (step, at, queue, kind, enqueued, succeeded, failed, cancelled, other, retries, took_ms, took, waited_ms, waited)
            select step, at, queue, kind, enqueued, succeeded, failed, cancelled, other, retries, took_ms, took::bigint[], waited_ms, waited::bigint[]
            from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                s (step, at, queue, kind, enqueued, succeeded, failed, cancelled, other, retries, took_ms, took, waited_ms, waited)
            on conflict (step, at, queue, kind) do update set
                enqueued = t.enqueued + excluded.enqueued, succeeded = t.succeeded + excluded.succeeded, failed = t.failed + excluded.failed,
                cancelled = t.cancelled + excluded.cancelled, other = t.other + excluded.other, retries = t.retries + excluded.retries,
                took_ms = t.took_ms + excluded.took_ms, waited_ms = t.waited_ms + excluded.waited_ms,
                took = keelback.add_counts(t.took, excluded.took), waited = keelback.add_counts(t.waited, excluded.waited)
            """,
            Statement.P(rows.Select(r => r.Key.Step).ToArray()), Statement.P(rows.Select(r => r.Key.At.UtcDateTime).ToArray()),
            Statement.P(rows.Select(r => r.Key.Queue).ToArray()), Statement.P(rows.Select(r => r.Key.Kind).ToArray()),
            Statement.P(Of(f => f.Enqueued)), Statement.P(Of(f => f.Succeeded)), Statement.P(Of(f => f.Failed)),
            Statement.P(Of(f => f.Cancelled)), Statement.P(Of(f => f.Other)), Statement.P(Of(f => f.Retries)),
            Statement.P(Of(f => f.TookMs)), Statement.P(Distribution(f => f.Took)), Statement.P(Of(f => f.WaitedMs)), Statement.P(Distribution(f => f.Waited)));
    }

    private IEnumerable<Figures> At(RunFact run, DateTimeOffset at)
    {
        yield return Sum((0, Floor(at, TimeSpan.FromMinutes(1)), run.Queue, run.Kind));
        yield return Sum((2, DateTimeOffset.UnixEpoch, run.Queue, run.Kind));
        yield return Sum((1, Floor(at, TimeSpan.FromHours(1)), run.Queue, run.Kind));
    }

    private Figures Sum((short, DateTimeOffset, short, string) key)
    {
        if (!_sums.TryGetValue(key, out var sums)) _sums[key] = sums = new();
        return sums;
    }

    private void Opened(RunFact run, int by) => _open[run.Queue] = _open.GetValueOrDefault(run.Queue) + by;

    private static DateTimeOffset Floor(DateTimeOffset at, TimeSpan step) => new(at.UtcTicks - at.UtcTicks % step.Ticks, TimeSpan.Zero);
}
