using System.Text.RegularExpressions;
using Keelback.Jobs.Tests;

namespace Keelback.Ops.Tests;

public sealed partial class MetricsTests : OpsTest
{
    [Fact]
    public async Task The_figures_come_in_the_format_that_prometheus_reads()
    {
        var odd = TestJobs.Kind("odd\"kind\\\n", _ => Task.CompletedTask, j => j.Queue = "mail");
        var bad = TestJobs.Kind("bad", _ => throw new InvalidOperationException(), j => (j.Queue, j.MaxAttempts) = ("mail", 1));
        await using var app = await OpsApp.OpenAsync(Database, [odd, bad]);
        await app.Jobs.EnqueueManyAsync([odd.Call(), odd.Call(), odd.Call(), bad.Call()]);
        await app.DrainAsync();
        await app.CopyAsync();

        var response = await app.Client.GetAsync("/metrics");
        var text = await response.Content.ReadAsStringAsync();

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Contains("""keelback_runs_ended_total{queue="mail",kind="odd\"kind\\\n",outcome="succeeded"} 3""" + "\n", text);
        Assert.Contains("""keelback_runs_ended_total{queue="mail",kind="bad",outcome="failed"} 1""" + "\n", text);
        Assert.Contains("""keelback_run_duration_seconds_bucket{queue="mail",kind="bad",le="+Inf"} 1""" + "\n", text);
        Assert.Contains("""keelback_run_duration_seconds_count{queue="mail",kind="bad"} 1""" + "\n", text);
        Assert.Contains("""keelback_queue_open{queue="mail"} 0""" + "\n", text);
        Assert.Contains("process_keelback_jobs_attempts_total{", text);
        Assert.All(text.TrimEnd('\n').Split('\n'), line => Assert.Matches(Line(), line));
        var names = text.Split('\n').Where(l => l.StartsWith("# TYPE ")).Select(l => l.Split(' ')[2]).ToList();
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void A_distribution_counts_what_is_below_each_bound()
    {
        var text = new PrometheusText();
        var counts = new long[Figures.Steps];
        (counts[Figures.Step(TimeSpan.FromMilliseconds(0.5))], counts[Figures.Step(TimeSpan.FromMilliseconds(3))], counts[Figures.Step(TimeSpan.FromDays(2))]) = (5, 2, 1);

        text.Histogram("x", counts, 1500);

        Assert.StartsWith("x_bucket{le=\"0.001\"} 5\nx_bucket{le=\"0.002\"} 5\nx_bucket{le=\"0.004\"} 7\n", text.ToString());
        Assert.EndsWith("x_bucket{le=\"+Inf\"} 8\nx_sum 1.5\nx_count 8\n", text.ToString());
    }

    [Theory]
    [InlineData(0.5, 1.0)]
    [InlineData(0.99, 4.0)]
    public void A_quantile_is_within_a_factor_of_two(double quantile, double truth)
    {
        var counts = new long[Figures.Steps];
        counts[Figures.Step(TimeSpan.FromMilliseconds(1.0))] = 90;
        counts[Figures.Step(TimeSpan.FromMilliseconds(4.0))] = 10;

        Assert.InRange(Figures.Quantile(counts, quantile)!.Value, truth / 2, truth * 2);
    }

    [GeneratedRegex("""^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\\\|\\"|\\n)*",?)+\})? (\+Inf|[-0-9.E+]+))$""")]
    private static partial Regex Line();
}
