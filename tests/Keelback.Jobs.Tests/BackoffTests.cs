namespace Keelback.Jobs.Tests;

public class BackoffTests
{
    private static readonly JobsOptions s_options = new();

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 10)]
    [InlineData(5, 80)]
    [InlineData(10, 2560)]
    [InlineData(11, 3600)]
    [InlineData(1000, 3600)]
    public void The_bound_doubles_until_it_is_an_hour(int failures, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.Bound(failures, s_options.RetryDelay, s_options.MaxRetryDelay));

    [Fact]
    public void The_wait_is_anywhere_below_the_bound()
    {
        var waits = Enumerable.Range(0, 1000).Select(_ => Backoff.Next(3, s_options).TotalSeconds).ToList();

        Assert.InRange(waits.Min(), 0, 2);
        Assert.InRange(waits.Max(), 18, 20);
        Assert.InRange(waits.Average(), 8, 12); // full jitter: even, not around the bound
    }
}
