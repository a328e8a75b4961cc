namespace Keelback.Jobs;

/// <summary>How long to wait before the next attempt.</summary>
internal sealed record Backoff(TimeSpan First, TimeSpan Most, RetryBackoff Growth, bool Jitter)
{
    public static Backoff Of(JobsOptions options) => new(options.RetryDelay, options.MaxRetryDelay, RetryBackoff.Exponential, Jitter: true);

    /// <summary>The same with what is said nearer to the job: a first wait that is given there may be over the most that was said farther away.</summary>
    public Backoff With(string? first, string? most, RetryBackoff? growth, bool? jitter)
    {
        var wait = JobDuration.Parse(first);
        var bound = JobDuration.Parse(most) ?? (wait > Most ? wait.Value : Most);
        return new(wait ?? First, bound, growth ?? Growth, jitter ?? Jitter);
    }

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
