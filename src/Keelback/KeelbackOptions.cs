using Microsoft.Extensions.Hosting;

namespace Keelback;

/// <summary>How this process behaves as a whole. Bound from the <c>Keelback</c> section.</summary>
public sealed class KeelbackOptions
{
    /// <summary>Whether the start applies the app's own EF migrations. Default false: that is the <c>migrate</c> command's work.</summary>
    public bool MigrateAtStart { get; set; }

    /// <summary>
    /// How long <c>/health/ready</c> answers 503 before the server stops listening, so that the load balancer looks elsewhere.
    /// Default: 5 s, and zero in Development; 0 to 5 minutes. Counts against <c>HostOptions.ShutdownTimeout</c>, which is raised by it.
    /// </summary>
    public TimeSpan? DrainDelay { get; set; }

    internal TimeSpan DrainDelayIn(IHostEnvironment environment) =>
        DrainDelay ?? (environment.IsDevelopment() ? TimeSpan.Zero : TimeSpan.FromSeconds(5));
}
