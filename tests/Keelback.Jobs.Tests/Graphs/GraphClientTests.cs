using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Graphs shown, found, cancelled and retried as one.</summary>
public sealed class GraphClientTests : JobsTest
{
    private static readonly JobKind s_number = TestJobs.Kind("number", call => Task.FromResult(call.Get<int>("n")));
    private static readonly JobKind s_sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<int[]>("numbers").Sum()));

    [Fact]
    public async Task A_graph_is_read_whole_from_any_of_its_runs_with_states_and_edges()
    {
        await using var host = JobHost.Create(Database, [s_number, s_sum]);
        var one = Number(1);
        var runs = await host.Jobs.EnqueueManyAsync([Sum(one, Number(2)).OnError(Number(9)), one]);
        var other = await host.Jobs.EnqueueAsync(Sum(Job.Of<int>(runs[1])));
        var alone = await host.Jobs.EnqueueAsync(Number(5));

        var graph = (await host.Jobs.GetGraphAsync(runs[1]))!;
        var single = (await host.Jobs.GetGraphAsync(alone))!;

        Assert.Equal(runs[0], graph.Root);
        Assert.Equal(["number Ready", "number Ready", "sum Blocked", "number Blocked"], graph.Nodes.Where(node => node.IsMember).Select(node => $"{node.Kind} {node.State}"));
        Assert.Equal(other, Assert.Single(graph.Nodes, node => !node.IsMember).Id);
        Assert.Equal(4, graph.Edges.Count);
        Assert.Equal((runs[0], JobEdgeRule.Failure), (Assert.Single(graph.Edges, edge => edge.Rule != JobEdgeRule.Success) is var edge ? edge.Up : 0, JobEdgeRule.Failure));
        Assert.Equal((alone, 1, 0), (single.Root, single.Nodes.Count, single.Edges.Count));
        Assert.Null(await host.Jobs.GetGraphAsync(4711));
    }

    [Fact]
    public async Task A_run_that_is_over_its_limit_is_shown_so()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation)).With(new LimitAttribute("one") { Slots = 1 });
        await using var host = await StartAsync(slow);
        var run = await host.Jobs.EnqueueAsync(Job.All([slow.Call(), slow.Call()]));
        await gate.Started();
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.parked") == 1, "the other is parked");

        var graph = (await host.Jobs.GetGraphAsync(run))!;

        Assert.Equal(["Blocked", "Limited", "Running"], graph.Nodes.Select(node => $"{node.State}").Order());
        gate.Open();
    }

    [Fact]
    public async Task Tags_of_the_enqueued_job_are_everybodys_in_its_graph_and_follow_what_attempts_enqueue()
    {
        var parent = TestJobs.Kind("parent", async call =>
        {
            var jobs = call.Services.GetRequiredService<JobClient>();
            await jobs.EnqueueAsync(Number(8));
            await jobs.EnqueueAsync(Sum(Number(9)));
        });
        await using var host = await StartAsync(s_number, s_sum, parent);

        var run = await host.Jobs.EnqueueAsync(parent.Call().After(Number(1).With(new() { Tags = ["own"] })), new() { Tags = ["customer:42", "batch"] });
        await host.EndOf(run);
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");

        Assert.Equal(5, (await host.Jobs.FindTaggedAsync("customer:42")).Count);
        Assert.Equal(["batch", "customer:42", "own"], await host.Jobs.GetTagsAsync(Assert.Single(await host.Jobs.FindTaggedAsync("own"))));
        Assert.Equal(3, await host.ScalarAsync<long>($"select count(*) from keelback.run where parent = {run}"));
        var page = await host.Jobs.FindTaggedAsync("batch", limit: 2);
        Assert.Equal(3, (await host.Jobs.FindTaggedAsync("batch", before: page[^1])).Count);
    }

    [Fact]
    public async Task Cancelling_by_tag_kind_and_graph_ends_every_open_run_of_it_and_no_other()
    {
        await using var host = JobHost.Create(Database, [s_number, s_sum]);
        await using var stranger = JobHost.Create(Database, [s_number, s_sum], app: "stranger");
        var tagged = await host.Jobs.EnqueueAsync(Sum(Number(1), Number(2)), new() { Tags = ["x"] });
        await stranger.Jobs.EnqueueAsync(Number(1), new() { Tags = ["x"] });
        var graph = await host.Jobs.EnqueueAsync(Sum(Number(3)).OnError(Number(4)));
        var waits = await host.Jobs.EnqueueAsync(Sum(Number(5), Number(6)));

        Assert.Equal(3, await host.Jobs.CancelTaggedAsync("x"));
        Assert.Equal(3, await host.Jobs.CancelGraphAsync(graph));
        Assert.Equal(3, await host.Jobs.CancelKindAsync("number"));

        Assert.Equal([JobRunState.Cancelled, JobRunState.Cancelled, JobRunState.UpstreamFailed], [
            (await host.Jobs.GetAsync(tagged))!.State, (await host.Jobs.GetAsync(graph))!.State, (await host.Jobs.GetAsync(waits))!.State]);
        Assert.Equal(0, await host.Jobs.CancelTaggedAsync("x"));
        Assert.Equal(1, await stranger.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
    }

    [Fact]
    public async Task A_failed_member_is_retried_and_the_body_runs_then_with_each_result_once()
    {
        var broken = true;
        var sums = 0;
        var shaky = TestJobs.Kind("shaky", _ => broken ? throw new InvalidOperationException("no luck") : Task.FromResult(40), d => d.MaxAttempts = 2);
        var sum = TestJobs.Kind("sum", call =>
        {
            sums++;
            return Task.FromResult(call.Get<int[]>("numbers").Sum());
        });
        await using var host = await StartAsync(s_number, shaky, sum);
        var member = shaky.Call<int>();
        var runs = await host.Jobs.EnqueueManyAsync([sum.Call<int>(null, new JobBinding("numbers", Job.All(Number(1), member, Number(1)))), member]);
        Assert.Equal(JobRunState.UpstreamFailed, (await host.EndOf(runs[0])).State);
        await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.RetryAsync(runs[0])); // KB1243

        Assert.True(await host.Jobs.RetryAsync(runs[1])); // fails again, with two attempts of its own
        Assert.Equal((JobRunState.Failed, 4), ((await host.EndOf(runs[1])).State, (await host.EndOf(runs[1])).Attempt));
        Assert.Equal(JobRunState.UpstreamFailed, (await host.EndOf(runs[0])).State);
        broken = false;
        Assert.Equal(2, await host.Jobs.RetryGraphAsync(runs[0]));
        var body = await host.EndOf(runs[0]);

        Assert.Equal((42, 1), (body.Result<int>(), sums));
        Assert.Equal(4, (await host.Jobs.GetAttemptsAsync(runs[1])).Count);
        Assert.Equal((0, false), (await host.Jobs.RetryGraphAsync(runs[0]), await host.Jobs.RetryAsync(runs[0])));
        Assert.Equal(1, sums);
    }

    [Fact]
    public async Task A_body_and_a_callback_that_ran_stay_as_they_are_when_the_failed_member_is_retried()
    {
        var broken = true;
        var (bodies, callbacks) = (0, 0);
        var shaky = TestJobs.Kind("shaky", _ => broken ? throw new InvalidOperationException("no luck") : Task.FromResult(40), d => d.MaxAttempts = 1);
        var body = TestJobs.Kind("body", call => Task.FromResult(++bodies + call.Get<JobResult<int>[]>("ends").Length));
        var page = TestJobs.Kind("page", _ => Task.FromResult(++callbacks));
        await using var host = await StartAsync(shaky, body, page);
        var member = shaky.Call<int>().OnError(page.Call());
        var runs = await host.Jobs.EnqueueManyAsync([body.Call<int>(null, new JobBinding("ends", Job.AllSettled([member]))), member]);
        await host.EndOf(runs[0]);
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");
        broken = false;

        Assert.Equal(1, await host.Jobs.RetryGraphAsync(runs[0]));
        Assert.Equal(40, (await host.EndOf(runs[1])).Result<int>());
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");

        Assert.Equal((1, 1), (bodies, callbacks));
    }

    [Fact]
    public async Task A_cancelled_graph_runs_whole_when_it_is_retried_and_its_old_rows_start_nothing_twice()
    {
        var ran = 0;
        var count = TestJobs.Kind("count", call => Task.FromResult(Interlocked.Increment(ref ran) * 0 + call.Get<int>("n")));
        await using var host = JobHost.Create(Database, [count, s_sum]);
        var run = await host.Jobs.EnqueueAsync(Sum([.. Enumerable.Range(1, 10).Select(n => count.Call<int>(new { n }))]));
        Assert.Equal(11, await host.Jobs.CancelGraphAsync(run));

        Assert.Equal(11, await host.Jobs.RetryGraphAsync(run));
        await host.StartAsync();

        Assert.Equal((55, 10), ((await host.EndOf(run)).Result<int>(), ran));
    }

    [Fact]
    public async Task Of_a_completion_a_cancellation_and_a_retry_one_wins_and_the_run_ends_as_it_says()
    {
        await using var host = await JobHost.Create(Database, [s_number, s_sum], o => o.Concurrency = 4).StartAsync();
        var random = new Random(42);
        for (var race = 0; race < 150; race++)
        {
            var (one, two) = (Number(1), Number(2));
            var runs = await host.Jobs.EnqueueManyAsync([Sum(one, two), one, two]);
            var acts = Enumerable.Range(0, 4).Select(_ => random.Next(4)).Select((act, i) => Task.Run(async () => await (act switch
            {
                0 => host.Jobs.CancelAsync(runs[i % 3]).ContinueWith(_ => 0, TaskScheduler.Default),
                1 => host.Jobs.CancelGraphAsync(runs[0]),
                2 => host.Jobs.RetryGraphAsync(runs[0]),
                _ => Retry(runs[1]),
            })));
            await Task.WhenAll(acts);
            await host.Jobs.RetryGraphAsync(runs[0]);

            var ends = new[] { await host.EndOf(runs[0]), await host.EndOf(runs[1]), await host.EndOf(runs[2]) };
            Assert.All(ends, end => Assert.Equal(JobRunState.Succeeded, end.State));
            Assert.Equal(3, ends[0].Result<int>());
        }

        Assert.Equal("0 0", await host.ScalarAsync<string>("select (select count(*) from keelback.wait) || ' ' || (select count(*) from keelback.edge where not done)"));

        async Task<int> Retry(long run) => await host.Jobs.RetryAsync(run) ? 1 : 0;
    }

    private static Job<int> Number(int n) => s_number.Call<int>(new { n });

    private static Job<int> Sum(params Job<int>[] numbers) => s_sum.Call<int>(null, new JobBinding("numbers", Job.All(numbers)));
}
