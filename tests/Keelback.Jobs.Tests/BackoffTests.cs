namespace Keelback.Jobs.Tests;

public class BackoffTests
{
    private static readonly JobsOptions s_options = new();

    private static readonly Backoff s_default = Backoff.Of(s_options);

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 10)]
    [InlineData(5, 80)]
    [InlineData(10, 2560)]
    [InlineData(11, 3600)]
    [InlineData(1000, 3600)]
    public void The_bound_doubles_until_it_is_an_hour(int failures, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), s_default.Bound(failures));

    [Theory]
    [InlineData(RetryBackoff.Linear, 1, 5), InlineData(RetryBackoff.Linear, 4, 20), InlineData(RetryBackoff.Linear, 1000, 3600)]
    [InlineData(RetryBackoff.Constant, 1, 5), InlineData(RetryBackoff.Constant, 1000, 5)]
    public void The_bound_grows_as_it_is_told_to(RetryBackoff growth, int failures, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), (s_default with { Growth = growth }).Bound(failures));

    [Fact]
    public void Without_jitter_the_wait_is_the_bound() =>
        Assert.Equal(TimeSpan.FromSeconds(20), (s_default with { Jitter = false }).Next(3));

    [Fact]
    public void A_rule_changes_of_the_kinds_waits_what_it_says()
    {
        var job = TestJobs.Kind("job", _ => Task.CompletedTask, d => (d.Backoff, d.Jitter, d.RetryDelay) = (RetryBackoff.Constant, false, "00:00:20"));

        Assert.Equal((20, 20), Waits(job.With(new RetryAttribute<IOException> { MaxAttempts = 9 })));
        Assert.Equal((20, 40), Waits(job.With(new RetryAttribute<IOException> { MaxAttempts = 9, Backoff = RetryBackoff.Linear })));
        Assert.Equal((3, 3), Waits(job.With(new RetryAttribute<IOException> { MaxAttempts = 9, Delay = "00:00:03" })));
    }

    [Fact]
    public void A_first_wait_over_the_settings_most_is_waited()
    {
        static JobKind Job(Action<JobAttribute> configure) => TestJobs.Kind("job", _ => Task.CompletedTask, d =>
        {
            d.Jitter = false;
            configure(d);
        });

        Assert.Equal((6 * 3600, 6 * 3600), Waits(Job(d => d.RetryDelay = "06:00:00")));
        Assert.Equal((6 * 3600, 7 * 3600), Waits(Job(d => (d.RetryDelay, d.MaxRetryDelay) = ("06:00:00", "07:00:00"))));
        Assert.Equal((2, 2), Waits(Job(d => d.MaxRetryDelay = "00:00:02")));
        Assert.Equal((7200, 7200), Waits(Job(d => d.MaxRetryDelay = "00:00:02").With(new RetryAttribute<IOException> { Delay = "02:00:00" })));
    }

    // In seconds, after one failure and after two.
    private static (double First, double Second) Waits(JobKind kind)
    {
        var rules = new RetryRules(new([kind]), Microsoft.Extensions.Options.Options.Create(s_options));
        double After(int attempt) => rules.After(new(1, 1, attempt, 0, kind.Name, []) { MaxAttempts = 4 }, new IOException())!.Value.TotalSeconds;
        return (After(1), After(2));
    }

    [Fact]
    public void The_wait_is_anywhere_below_the_bound()
    {
        var waits = Enumerable.Range(0, 1000).Select(_ => s_default.Next(3).TotalSeconds).ToList();

        Assert.InRange(waits.Min(), 0, 2);
        Assert.InRange(waits.Max(), 18, 20);
        Assert.InRange(waits.Average(), 8, 12); // full jitter: even, not around the bound
    }
}
