using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Keelback.Jobs;

/// <summary>Traces and figures, under the name <c>Keelback.Jobs</c>.</summary>
internal sealed class JobTelemetry : IDisposable
{
    public const string Name = "Keelback.Jobs";

    private readonly Meter _meter = new(Name);

    public JobTelemetry()
    {
        Enqueued = _meter.CreateCounter<long>("keelback.jobs.enqueued", "{run}", "Runs written.");
        Ended = _meter.CreateCounter<long>("keelback.jobs.attempts", "{attempt}", "Attempts ended, by kind and outcome.");
        FencedWrites = _meter.CreateCounter<long>("keelback.jobs.fenced_writes", "{write}", "Late writes by an attempt that no longer held its run; they changed nothing.");
        Rescued = _meter.CreateCounter<long>("keelback.jobs.rescued", "{run}", "Runs taken back from dead workers.");
        Duration = _meter.CreateHistogram<double>("keelback.jobs.duration", "s", "Time of one attempt, by kind.");
    }

    public ActivitySource Source { get; } = new(Name);

    public Counter<long> Enqueued { get; }

    public Counter<long> Ended { get; }

    public Counter<long> FencedWrites { get; }

    public Counter<long> Rescued { get; }

    public Histogram<double> Duration { get; }

    public void Dispose()
    {
        _meter.Dispose();
        Source.Dispose();
    }
}
