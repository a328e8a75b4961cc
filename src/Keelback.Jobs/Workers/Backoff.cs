using System.Globalization;

namespace Keelback.Jobs;

/// <summary>How long to wait before the next attempt.</summary>
internal sealed record Backoff(TimeSpan First, TimeSpan Most, RetryBackoff Growth, bool Jitter)
{
    public static Backoff Of(JobsOptions options) => new(options.RetryDelay, options.MaxRetryDelay, RetryBackoff.Exponential, Jitter: true);

    /// <summary>What an attribute says; null when it says nothing, or nothing that reads, which the compiler reports.</summary>
    public static TimeSpan? Duration(string? text) => TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var duration) ? duration : null;

    /// <summary>The largest wait after this many failures.</summary>
    public TimeSpan Bound(int failures)
    {
        var times = Math.Max(1, failures);
        var grown = First.TotalMilliseconds * Growth switch
        {
            RetryBackoff.Linear => times,
            RetryBackoff.Constant => 1,
            _ => Math.Pow(2, times - 1),
        };

        return TimeSpan.FromMilliseconds(Math.Min(grown, Most.TotalMilliseconds));
    }

    public TimeSpan Next(int failures, Random? random = null) => Jitter ? (random ?? Random.Shared).NextDouble() * Bound(failures) : Bound(failures);
}
