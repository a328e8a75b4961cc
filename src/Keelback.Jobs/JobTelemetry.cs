using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Keelback.Jobs;

/// <summary>Traces and figures by .NET's own <see cref="ActivitySource"/> and <see cref="Meter"/>, which cost nothing until somebody listens to <see cref="Name"/>.</summary>
/// <remarks>With OpenTelemetry: <c>AddSource(JobTelemetry.Name)</c> for the tracing, <c>AddMeter(JobTelemetry.Name)</c> for the metrics.</remarks>
public sealed class JobTelemetry : IDisposable
{
    /// <summary>Of the source and of the meter: <c>Keelback.Jobs</c>.</summary>
    public const string Name = "Keelback.Jobs";

    private readonly Meter _meter = new(Name);

    internal JobTelemetry()
    {
        Enqueued = _meter.CreateCounter<long>("keelback.jobs.enqueued", "{run}", "Runs enqueued, by kind, when that is committed.");
        Ended = _meter.CreateCounter<long>("keelback.jobs.attempts", "{attempt}", "Attempts ended, by kind and outcome.");
        FencedWrites = _meter.CreateCounter<long>("keelback.jobs.fenced_writes", "{write}", "Late writes by an attempt that no longer held its run; they changed nothing.");
        Rescued = _meter.CreateCounter<long>("keelback.jobs.rescued", "{run}", "Runs taken back from dead workers.");
        Waited = _meter.CreateHistogram<double>("keelback.jobs.wait", "s", "From when a run was due to its first attempt, by kind; of one that puts itself off, each time.");
        Abandoned = _meter.CreateCounter<long>("keelback.jobs.abandoned", "{attempt}", "Attempts that did not stop when they were told to, by kind.");
        Duration = _meter.CreateHistogram<double>("keelback.jobs.duration", "s", "Time of one attempt, by kind.");
    }

    internal Counter<long> Abandoned { get; }

    internal Histogram<double> Waited { get; }

    internal ActivitySource Source { get; } = new(Name);

    internal Counter<long> Enqueued { get; }

    internal Counter<long> Ended { get; }

    internal Counter<long> FencedWrites { get; }

    internal Counter<long> Rescued { get; }

    internal Histogram<double> Duration { get; }

    /// <summary>The producer's span, from which the jobs' spans descend; null when nobody listens.</summary>
    internal Activity? Enqueueing(EnqueuePlan plan)
    {
        if (!Source.HasListeners() || plan.Roots.Count == 0) return null;

        var activity = Source.StartActivity($"enqueue {plan.Roots[0].Kind.Name}", ActivityKind.Producer);
        activity?.SetTag("messaging.system", "keelback").SetTag("messaging.operation.name", "enqueue").SetTag("messaging.operation.type", "send")
            .SetTag("messaging.destination.name", plan.Roots[0].Queue);
        if (plan.Runs.Count > 1) activity?.SetTag("messaging.batch.message_count", plan.Runs.Count);
        return activity;
    }

    /// <summary>By the semantic conventions of messaging.</summary>
    internal static void Describe(Activity? activity, Claim claim, string queue) => activity?
        .SetTag("messaging.system", "keelback").SetTag("messaging.operation.name", "process").SetTag("messaging.operation.type", "process")
        .SetTag("messaging.destination.name", queue).SetTag("messaging.message.id", claim.RunId);

    /// <summary>An attempt that failed is an error, whether another follows or not; one that was put off, skipped or handed back is none.</summary>
    internal static void End(Activity? activity, Outcome outcome)
    {
        activity?.SetTag("keelback.outcome", outcome.Name);
        if (outcome is Outcome.Failed failed)
            activity?.SetStatus(ActivityStatusCode.Error, failed.Error.Message)
                .SetTag("error.type", failed.Kind == JobAttemptOutcome.TimedOut ? "timeout" : failed.Error.Type);
    }

    /// <summary>Ends both.</summary>
    public void Dispose()
    {
        _meter.Dispose();
        Source.Dispose();
    }
}
