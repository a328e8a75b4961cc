namespace Keelback.Jobs;

/// <summary>How long to wait before the next attempt: exponential, with full jitter.</summary>
internal static class Backoff
{
    /// <summary>The largest wait after this many failures.</summary>
    public static TimeSpan Bound(int failures, TimeSpan first, TimeSpan most)
    {
        var doubled = first.TotalMilliseconds * Math.Pow(2, Math.Max(0, failures - 1));
        return TimeSpan.FromMilliseconds(Math.Min(doubled, most.TotalMilliseconds));
    }

    public static TimeSpan Next(int failures, JobsOptions options) =>
        Random.Shared.NextDouble() * Bound(failures, options.RetryDelay, options.MaxRetryDelay);
}
