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
    public void The_wait_is_anywhere_below_the_bound()
    {
        var waits = Enumerable.Range(0, 1000).Select(_ => s_default.Next(3).TotalSeconds).ToList();

        Assert.InRange(waits.Min(), 0, 2);
        Assert.InRange(waits.Max(), 18, 20);
        Assert.InRange(waits.Average(), 8, 12); // full jitter: even, not around the bound
    }
}
