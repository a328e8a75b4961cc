using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>One job for each of many items, whose number nobody knows before.</summary>
public sealed class MapTests : JobsTest
{
    private static readonly JobKind s_range = TestJobs.Kind("range", call => Task.FromResult(Enumerable.Range(0, call.Get<int>("n")).ToArray()));
    private static readonly JobKind s_twice = TestJobs.Kind("twice", call => Task.FromResult(2 * call.Get<int>("n")));
    private static readonly JobKind s_add = TestJobs.Kind("add", call => Task.FromResult(call.Get<int>("a") + call.Get<int>("b")));
    private static readonly JobKind s_sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<int[]>("numbers").Sum()));

    [Theory, InlineData(0), InlineData(1), InlineData(100)]
    public async Task Each_item_of_a_result_is_a_run_and_their_results_come_in_order(int count)
    {
        await using var host = await StartAsync(s_range, s_twice, s_sum);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(Range(count), Twice)));
        var sum = await host.EndOf(await host.Jobs.EnqueueAsync(Sum(Job.Map(Range(count), Twice))));

        Assert.Equal(Enumerable.Range(0, count).Select(n => 2 * n), run.Result<int[]>()!);
        Assert.Equal(count * (count - 1), sum.Result<int>());
    }

    [Fact]
    public async Task No_more_items_run_at_once_than_said_and_a_failed_one_does_not_stop_the_others()
    {
        var (now, most, ran) = (0, 0, 0);
        var gate = new Lock();
        var work = TestJobs.Kind("work", async call =>
        {
            lock (gate) most = Math.Max(most, ++now);
            await Task.Yield();
            lock (gate) (now, ran) = (now - 1, ran + 1);
            if (call.Get<int>("n") == 3) throw new InvalidOperationException("no luck");
            return 0;
        }, d => d.MaxAttempts = 1);
        await using var host = await StartAsync(s_range, work);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(Range(20), n => work.Call<int>(null, EdgeRuleTests.Bound("n", n)), maxParallel: 2)));
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");

        Assert.Equal((JobRunState.Failed, 20), (run.State, ran));
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task A_map_of_graphs_gives_each_item_the_shared_results_and_its_own_callbacks()
    {
        var told = 0;
        var tell = TestJobs.Kind("tell", _ => Task.FromResult(Interlocked.Increment(ref told)));
        var shared = 0;
        var once = TestJobs.Kind("once", _ => Task.FromResult(100 + 0 * Interlocked.Increment(ref shared)));
        await using var host = await StartAsync(s_range, s_twice, s_add, tell, once);
        var hundred = once.Call<int>();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(Range(5), n => Add(Twice(n), hundred).OnSuccess(tell.Call()))));
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");

        Assert.Equal([100, 102, 104, 106, 108], run.Result<int[]>()!);
        Assert.Equal((5, 1), (told, shared));
    }

    [Fact]
    public async Task What_does_not_depend_on_the_item_runs_once_as_a_member_of_a_group_too()
    {
        var ran = 0;
        var dear = TestJobs.Kind("dear", _ => Task.FromResult(Interlocked.Increment(ref ran)));
        var count = TestJobs.Kind("count", call => Task.FromResult(call.Get<JobResult<int>[]>("ends").Sum(end => end.Value)));
        await using var host = await StartAsync(s_range, s_twice, s_sum, dear, count);
        var shared = dear.Call<int>();

        var sums = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(Range(5), n => Sum(Job.All(shared, Twice(n), shared)))));
        var nested = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(Range(2), n => Job.All(dear.Call<int>(), Twice(n)))));
        var settled = await host.EndOf(await host.Jobs.EnqueueAsync(
            Job.Map(Range(3), n => count.Call<int>(null, new JobBinding("ends", Job.AllSettled([dear.Call<int>(), Twice(n)]))))));

        Assert.Equal([2, 4, 6, 8, 10], sums.Result<int[]>()!);
        Assert.Equal("2,0|2,2", string.Join('|', nested.Result<int[][]>()!.Select(pair => string.Join(',', pair))));
        Assert.Equal([3, 5, 7], settled.Result<int[]>()!);
        Assert.Equal(3, ran);
    }

    [Fact]
    public async Task What_follows_a_job_of_the_item_is_the_items_and_so_is_a_job_that_the_item_follows()
    {
        var (ran, undone, logged) = (0, 0, new ConcurrentBag<int>());
        var plain = TestJobs.Kind("base", _ => Task.FromResult(100 + 0 * Interlocked.Increment(ref ran)));
        var log = TestJobs.Kind("log", call =>
        {
            logged.Add(call.Get<int>("a") + call.Get<int>("b"));
            return Task.CompletedTask;
        });
        var undo = TestJobs.Kind("undo", _ => Task.FromResult(Interlocked.Increment(ref undone)));
        var odd = TestJobs.Kind("odd", call => call.Get<int>("n") % 2 == 1 ? throw JobExit.Reject("odd") : Task.FromResult(0));
        await using var host = await StartAsync(s_range, s_twice, s_add, s_sum, plain, log, undo, odd);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(Range(3), n => Add(n, plain.Call<int>().OnSuccess(b => log.Call(null, EdgeRuleTests.Bound("a", n), EdgeRuleTests.Bound("b", b)))))));
        await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(Range(4), n => odd.Call<int>(null, EdgeRuleTests.Bound("n", n)).OnError(Sum(Job.All(undo.Call<int>()))))));
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");

        Assert.Equal([100, 101, 102], run.Result<int[]>()!);
        Assert.Equal([100, 101, 102], logged.Order());
        Assert.Equal((3, 2), (ran, undone));
    }

    [Fact]
    public void A_chain_for_each_item_may_be_longer_than_a_threads_stack()
    {
        var item = new Job<int>(JobKind.Item, default, []);
        var chain = Enumerable.Range(0, 100_000).Aggregate(Twice(item), (job, _) => Twice(job));

        var template = JobTemplate.Of(chain, item, []);
        using var one = JsonDocument.Parse("1");
        var made = template.Make(new([s_twice]), one.RootElement, one.RootElement, new Job?[template.Nodes.Count], "default", null, default);

        Assert.Equal(100_001, EnqueuePlan.Of([made]).Runs.Count);
    }

    [Fact]
    public async Task What_an_older_version_wrote_down_for_each_item_is_made_as_the_code_has_it()
    {
        var before = TestJobs.Kind("pay", _ => Task.FromResult(0)).With(new LimitAttribute("customer:{customer}") { Slots = 1 });
        var now = TestJobs.Kind("pay", call => Task.FromResult(call.Get<int>("customerId")), d => d.Version = 2)
            .With(new LimitAttribute("customer:{customerId}") { Slots = 1 }, new UpgradeAttribute<Schedules.JobSchedulesTests.CustomerToId>(1));
        long run;
        await using (var old = JobHost.Create(Database, [before]))
            run = await old.Jobs.EnqueueAsync(Job.Map(new[] { 0, 1, 2 }, n => before.Call<int>(null, EdgeRuleTests.Bound("customer", n))));
        await using var host = await StartAsync(now);

        var end = await host.EndOf(run);

        Assert.Equal([0, 1, 2], end.Result<int[]>()!);
        Assert.Equal(3, await host.ScalarAsync<long>("select count(*) from keelback.run where kind = 'pay' and input->'$version' = '2' and limits[1] = 'customer:' || (input->>'customerId')"));
    }

    [Fact]
    public async Task A_map_of_too_many_items_is_refused_at_once()
    {
        var zeros = TestJobs.Kind("zeros", _ => Task.FromResult(new int[JobMap.MostItems + 1]));
        await using var host = await StartAsync(zeros, s_twice);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(zeros.Call<int[]>(), Twice)));

        Assert.Equal((JobRunState.Failed, 1), (run.State, run.Attempt));
        Assert.Equal("KB1246: Items cannot be mapped so: there are 100,001, and 100,000 are the most. Give each run a chunk of them (Job.Chunks), or map in two steps.", run.Error!.Message);
    }

    [Fact]
    public async Task A_map_of_chords_in_a_replaced_job_of_a_map_comes_out_right()
    {
        // sum(map(range 3, n => nest(n)));  nest(n) puts in its place sum(map(range 4, m => sum(all(twice m, twice n))))
        var nest = TestJobs.Kind("nest", call => Task.FromResult(0));
        nest = TestJobs.Kind("nest", call =>
        {
            var n = call.Get<int>("n");
            var inner = Job.Map(Range(4), m => Sum(Job.All(Twice(m), s_twice.Call<int>(new { n }))));
            return Task.FromResult(call.Services.GetRequiredService<JobContext>().Replace(Sum(inner)));
        });
        await using var host = await StartAsync(s_range, s_twice, s_sum, nest);

        var id = await host.Jobs.EnqueueAsync(Sum(Job.Map(Range(3), n => nest.Call<int>(null, EdgeRuleTests.Bound("n", n)))), new() { Tags = ["all"] });
        var run = await host.EndOf(id);

        // for each n of 0..2: sum over m of 0..3 of 2m + 2n = 12 + 8n
        Assert.Equal(36 + 24, run.Result<int>());
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
        Assert.Equal(await host.ScalarAsync<long>("select count(*) from keelback.run"), (await host.Jobs.FindTaggedAsync("all", 1000)).Count);
        Assert.Equal(await host.ScalarAsync<long>("select count(*) from keelback.run"), (await host.Jobs.GetGraphAsync(id))!.Nodes.Count);
    }

    [Fact]
    public async Task A_map_nests_in_a_map_by_the_item_itself()
    {
        var rows = TestJobs.Kind("rows", _ => Task.FromResult(new[] { new[] { 1, 2 }, [], new[] { 3 } }));
        await using var host = await StartAsync(rows, s_twice);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(rows.Call<int[][]>(), row => Job.Map(row, Twice))));

        Assert.Equal("2,4||6", string.Join('|', run.Result<int[][]>()!.Select(row => string.Join(',', row))));
    }

    [Fact]
    public async Task Whatever_kind_of_list_a_job_returns_is_mapped_and_cut_and_maps_nest_in_chunks_and_without_results()
    {
        var told = new ConcurrentBag<int>();
        var list = TestJobs.Kind("list", _ => Task.FromResult(new List<int> { 1, 2, 3 }));
        var rows = TestJobs.Kind("rows", _ => Task.FromResult(new List<int[]> { new[] { 4, 5 }, Array.Empty<int>(), new[] { 6 } }));
        var tell = TestJobs.Kind("tell", call =>
        {
            told.Add(call.Get<int>("n"));
            return Task.CompletedTask;
        });
        await using var host = await StartAsync(list, rows, tell, s_twice);

        var mapped = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(list.Call<List<int>>(), Twice)));
        var readOnly = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(list.Call<IReadOnlyList<int>>(), Twice)));
        var chunked = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Chunks(list.Call<List<int>>(), 2, chunk => Job.Map(chunk, Twice))));
        await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map(rows.Call<List<int[]>>(), row => Job.Map(row, n => tell.Call(null, EdgeRuleTests.Bound("n", n))))));

        Assert.Equal([2, 4, 6], mapped.Result<int[]>()!);
        Assert.Equal([2, 4, 6], readOnly.Result<int[]>()!);
        Assert.Equal("2,4|6", string.Join('|', chunked.Result<int[][]>()!.Select(chunk => string.Join(',', chunk))));
        Assert.Equal([4, 5, 6], told.Order());
    }

    [Fact]
    public async Task Known_items_are_mapped_and_cut_into_chunks_that_start_one_after_the_other()
    {
        await using var host = await JobHost.Create(Database, [s_sum, s_twice], clock: null).StartAsync();

        var mapped = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Map([1, 2, 3], Twice)));
        var chunks = await host.EndOf(await host.Jobs.EnqueueAsync(Job.Chunks(Enumerable.Range(1, 10), 4, Sum, skew: TimeSpan.FromMilliseconds(30))));
        var due = await host.ScalarAsync<long>(
            "select count(*) from (select due_at - lag(due_at) over (order by id) as gap from keelback.run where kind = 'sum' and due_at is not null) d where gap > interval '20 ms'");

        Assert.Equal([2, 4, 6], mapped.Result<int[]>()!);
        Assert.Equal([10, 26, 19], chunks.Result<int[]>()!);
        Assert.Equal(1, due); // the first starts at once, so two have an instant
    }

    [Fact]
    public async Task Ten_thousand_items_run_once_each()
    {
        await using var host = await StartAsync(s_range, s_twice, s_sum);

        var id = await host.Jobs.EnqueueAsync(Sum(Job.Map(Range(10_000), Twice)));
        var run = await host.EndOf(id);

        Assert.Equal(99_990_000, run.Result<int>());
        Assert.Equal(10_000, await host.ScalarAsync<long>("select count(*) from keelback.run where kind = 'twice' and state = 1 and attempt = 1"));
    }

    [Fact]
    public void A_map_that_cannot_be_made_for_each_item_is_refused_where_it_is_written()
    {
        Assert.Contains("must be 1 or more", Refused(() => Job.Map(Range(1), Twice, maxParallel: 0)), StringComparison.Ordinal);
        Assert.Contains("an id would make the runs of all items one", Refused(() => Job.Map(Range(1), n => Twice(n).With(new() { Id = Guid.CreateVersion7() }))), StringComparison.Ordinal);
        Assert.Contains("a unique key belongs to the job that is enqueued", Refused(() => Job.Map(Range(1), n => Twice(n).With(new() { Unique = new("one") }))), StringComparison.Ordinal);
        Assert.Contains("the stand-in for an item is none outside", Assert.Throws<KeelbackException>(() => EnqueuePlan.Of([Twice(new Job<int>(JobKind.Item, default, []))])).Message, StringComparison.Ordinal);
        Assert.Contains("the size of a chunk (0)", Refused(() => Job.Chunks(Range(1), 0, Sum)), StringComparison.Ordinal);
        Assert.Contains("the skew (-00:00:01)", Refused(() => Job.Chunks(Range(1), 1, Sum, TimeSpan.FromSeconds(-1))), StringComparison.Ordinal);

        static string Refused(Func<Job> describe) => Assert.Throws<KeelbackException>(describe) is { Code: "KB1246" } error ? error.Message : "";
    }

    private static Job<int[]> Range(int n) => s_range.Call<int[]>(new { n });

    private static Job<int> Twice(Arg<int> n) => n.Source is null ? s_twice.Call<int>(new { n = n.Value }) : s_twice.Call<int>(null, EdgeRuleTests.Bound("n", n));

    private static Job<int> Add(Arg<int> a, Arg<int> b) => s_add.Call<int>(null, EdgeRuleTests.Bound("a", a), EdgeRuleTests.Bound("b", b));

    private static Job<int> Sum(ListArg<int> numbers) => s_sum.Call<int>(null, JobBinding.Of("numbers", numbers.Source!));
}
