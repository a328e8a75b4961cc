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
        Waited = _meter.CreateHistogram<double>("keelback.jobs.wait", "s", "From when a run was due to its first attempt, by kind.");
        Abandoned = _meter.CreateCounter<long>("keelback.jobs.abandoned", "{attempt}", "Attempts that did not stop when they were told to, by kind.");
        Duration = _meter.CreateHistogram<double>("keelback.jobs.duration", "s", "Time of one attempt, by kind.");
    }

    public Counter<long> Abandoned { get; }

    public Histogram<double> Waited { get; }

    public ActivitySource Source { get; } = new(Name);

    public Counter<long> Enqueued { get; }

    public Counter<long> Ended { get; }

    public Counter<long> FencedWrites { get; }

    public Counter<long> Rescued { get; }

    public Histogram<double> Duration { get; }

    /// <summary>The producer's span, from which the jobs' spans descend; null when nobody listens.</summary>
    public Activity? Enqueueing(EnqueuePlan plan)
    {
        if (!Source.HasListeners() || plan.Roots.Count == 0) return null;

        var activity = Source.StartActivity($"enqueue {plan.Roots[0].Kind.Name}", ActivityKind.Producer);
        activity?.SetTag("messaging.system", "keelback").SetTag("messaging.operation.name", "enqueue").SetTag("messaging.operation.type", "send")
            .SetTag("messaging.destination.name", plan.Roots[0].Queue);
        if (plan.Runs.Count > 1) activity?.SetTag("messaging.batch.message_count", plan.Runs.Count);
        return activity;
    }

    /// <summary>By the semantic conventions of messaging.</summary>
    public static void Describe(Activity? activity, Claim claim, string queue) => activity?
        .SetTag("messaging.system", "keelback").SetTag("messaging.operation.name", "process").SetTag("messaging.operation.type", "process")
        .SetTag("messaging.destination.name", queue).SetTag("messaging.message.id", claim.RunId);

    public void Dispose()
    {
        _meter.Dispose();
        Source.Dispose();
    }
}
