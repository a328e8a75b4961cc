using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>The app's figures for a scraper: from the agent's sums, so that every process answers the same, and what this process alone knows.</summary>
internal sealed class MetricsReader(NpgsqlDataSource db, QueueCatalog catalog, OverviewReader overview, WarningReader warnings, ProcessMeters meters)
{
    public async Task<string> ReadAsync(CancellationToken ct)
    {
        var look = await overview.ReadAsync(FigureRange.Hour, ct);
        var totals = await TotalsAsync(ct);
        var names = look.Queues.ToDictionary(q => q.Id, q => q.Name);
        var text = new PrometheusText();

        Queues(text, look);
        text.Metric("keelback_workers", "gauge", "Live workers.");
        text.Sample("keelback_workers", look.Workers.Count);
        text.Metric("keelback_worker_slots", "gauge", "Jobs that all live workers can run at once.");
        text.Sample("keelback_worker_slots", look.Workers.Sum(w => w.Concurrency));
        text.Metric("keelback_figures_lag_seconds", "gauge", "How far the counters are behind the runs.");
        text.Sample("keelback_figures_lag_seconds", look.Lag.TotalSeconds);
        text.Metric("keelback_warnings", "gauge", "What the health watch warns of now.");
        text.Sample("keelback_warnings", (await warnings.AllAsync(ct)).Count);

        text.Metric("keelback_runs_enqueued_total", "counter", "Runs enqueued.");
        foreach (var row in totals) text.Sample("keelback_runs_enqueued_total", row.Sums.Enqueued, Labels(row, names));
        text.Metric("keelback_runs_ended_total", "counter", "Runs ended, by outcome; other: upstream failed, expired or skipped.");
        foreach (var row in totals)
        {
            var (queue, kind) = (Labels(row, names)[0], Labels(row, names)[1]);
            text.Sample("keelback_runs_ended_total", row.Sums.Succeeded, queue, kind, ("outcome", "succeeded"));
            text.Sample("keelback_runs_ended_total", row.Sums.Failed, queue, kind, ("outcome", "failed"));
            text.Sample("keelback_runs_ended_total", row.Sums.Cancelled, queue, kind, ("outcome", "cancelled"));
            text.Sample("keelback_runs_ended_total", row.Sums.Other, queue, kind, ("outcome", "other"));
        }

        text.Metric("keelback_runs_retries_total", "counter", "Attempts beyond the first, of runs that ended.");
        foreach (var row in totals) text.Sample("keelback_runs_retries_total", row.Sums.Retries, Labels(row, names));
        text.Metric("keelback_run_duration_seconds", "histogram", "Runs by the duration of their last attempt.");
        foreach (var row in totals) text.Histogram("keelback_run_duration_seconds", row.Sums.Took, row.Sums.TookMs, Labels(row, names));
        text.Metric("keelback_run_wait_seconds", "histogram", "Runs that needed one attempt by the wait before it.");
        foreach (var row in totals) text.Histogram("keelback_run_wait_seconds", row.Sums.Waited, row.Sums.WaitedMs, Labels(row, names));

        meters.Write(text);
        return text.ToString();
    }

    private static void Queues(PrometheusText text, Overview look)
    {
        void Gauge(string name, string help, Func<QueueLook, double?> value)
        {
            text.Metric(name, "gauge", help);
            foreach (var queue in look.Queues)
                if (value(queue) is { } sample)
                    text.Sample(name, sample, ("queue", queue.Name));
        }

        Gauge("keelback_queue_open", "Runs that have not ended.", q => q.Open);
        Gauge("keelback_queue_ready", "Runs that may start; 1001 means more than 1000.", q => q.LookedAt is null ? null : q.Ready);
        Gauge("keelback_queue_running", "Runs that a worker holds.", q => q.LookedAt is null ? null : q.Running);
        Gauge("keelback_queue_oldest_ready_seconds", "Since when the oldest ready run could start; 0 when none is ready.",
            q => q.LookedAt is null ? null : q.OldestAt is { } at ? Math.Max(0, (look.Now - at).TotalSeconds) : 0);
        Gauge("keelback_queue_paused", "1 while the queue is paused.", q => q.Paused ? 1 : 0);
    }

    private async Task<List<FigureRow>> TotalsAsync(CancellationToken ct)
    {
        short[] own = [.. (await catalog.AllAsync(ct)).Select(q => q.Id)];
        await using var batch = db.CreateBatch();
        batch.BatchCommands.Add(FigureRange.ReadTotals(own));
        await using var row = await batch.ExecuteReaderAsync(ct);
        return [.. (await FigureRange.ReadAsync(row, ct)).OrderBy(r => r.Queue).ThenBy(r => r.Kind, StringComparer.Ordinal)];
    }

    private static (string Name, string Value)[] Labels(FigureRow row, Dictionary<short, string> names) =>
        [("queue", names.GetValueOrDefault(row.Queue, "?")), ("kind", row.Kind)];
}
