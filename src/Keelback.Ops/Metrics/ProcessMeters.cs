using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;

namespace Keelback.Ops;

/// <summary>Adds up what this process's own meters (<c>Keelback.*</c>) say, from its start on.</summary>
internal sealed class ProcessMeters : IHostedService, IDisposable
{
    private const int MostSeries = 10_000; // a tag with a value per request must not fill the memory

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Name, string Tags), Series> _series = new();

    public ProcessMeters()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("Keelback.", StringComparison.Ordinal)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();

    public void Write(PrometheusText text)
    {
        _listener.RecordObservableInstruments();
        foreach (var metric in _series.GroupBy(s => s.Key.Name).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var kind = metric.First().Value;
            if (kind.IsDistribution)
            {
                text.Metric(metric.Key, "summary", kind.Help);
                foreach (var (_, series) in metric)
                {
                    text.Sample(metric.Key + "_sum", series.Sum, series.Labels);
                    text.Sample(metric.Key + "_count", series.Count, series.Labels);
                }
            }
            else
            {
                text.Metric(metric.Key, kind.IsGauge ? "gauge" : "counter", kind.Help);
                foreach (var (_, series) in metric) text.Sample(metric.Key, series.Sum, series.Labels);
            }
        }

        using var process = Process.GetCurrentProcess();
        text.Metric("process_cpu_seconds_total", "counter", "Processor time of this process.");
        text.Sample("process_cpu_seconds_total", process.TotalProcessorTime.TotalSeconds);
        text.Metric("process_resident_memory_bytes", "gauge", "Memory that this process holds.");
        text.Sample("process_resident_memory_bytes", process.WorkingSet64);
        text.Metric("dotnet_gc_heap_bytes", "gauge", "The managed heap after the last collection.");
        text.Sample("dotnet_gc_heap_bytes", GC.GetGCMemoryInfo().HeapSizeBytes);
        text.Metric("dotnet_threadpool_threads", "gauge", "Threads of the pool.");
        text.Sample("dotnet_threadpool_threads", ThreadPool.ThreadCount);
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new (string Name, string Value)[tags.Length];
        for (var i = 0; i < tags.Length; i++) labels[i] = (Name(tags[i].Key), tags[i].Value?.ToString() ?? "");
        var isGauge = instrument.GetType().Name.Contains("Gauge", StringComparison.Ordinal) || instrument.GetType().Name.Contains("UpDown", StringComparison.Ordinal);
        var isDistribution = instrument.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal);
        var name = "process_" + Name(instrument.Name) + (isDistribution || isGauge ? Unit(instrument) : "_total");

        var key = (name, string.Join('\u0001', labels.Select(l => l.Name + '\u0002' + l.Value)));
        if (!_series.TryGetValue(key, out var series))
        {
            if (_series.Count >= MostSeries) return;
            series = _series.GetOrAdd(key, _ => new(labels, instrument.Description ?? "", isGauge, isDistribution));
        }

        series.Add(value, replaces: instrument.IsObservable);
    }

    private static string Unit(Instrument instrument) => instrument.Unit == "s" ? "_seconds" : "";

    private static string Name(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private sealed class Series((string Name, string Value)[] labels, string help, bool isGauge, bool isDistribution)
    {
        private readonly Lock _gate = new();

        public (string Name, string Value)[] Labels { get; } = labels;

        public string Help { get; } = help;

        public bool IsGauge { get; } = isGauge;

        public bool IsDistribution { get; } = isDistribution;

        public double Sum { get; private set; }

        public long Count { get; private set; }

        public void Add(double value, bool replaces)
        {
            lock (_gate)
            {
                Sum = replaces ? value : Sum + value;
                Count++;
            }
        }
    }
}
