namespace Keelback.Jobs.Tests;

public sealed class GraphTests : JobsTest
{
    private static readonly JobKind s_number = TestJobs.Kind("number", call => Task.FromResult(call.Get<int>("n")));
    private static readonly JobKind s_add = TestJobs.Kind("add", call => Task.FromResult(call.Get<int>("a") + call.Get<int>("b")));
    private static readonly JobKind s_sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<int[]>("numbers").Sum()));
    private static readonly JobKind s_fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no"), d => d.MaxAttempts = 1);

    [Fact]
    public async Task A_job_gets_the_results_of_those_it_was_given()
    {
        //   1   2
        //    \ / \
        //     3   |
        //      \ /
        //       5
        await using var host = await StartAsync(s_number, s_add);
        var (one, two) = (Number(1), Number(2));
        var three = s_add.Call<int>(null, new("a", one), new("b", two));
        var five = s_add.Call<int>(null, new("a", three), new("b", two));

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(five));

        Assert.Equal((JobRunState.Succeeded, 5), (run.State, run.Result<int>()));
        Assert.Equal(4, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 1 and attempt = 1"));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
    }

    [Fact]
    public async Task All_hands_its_members_results_on_in_their_order_and_is_no_run_of_its_own()
    {
        var join = TestJobs.Kind("join", call => Task.FromResult(string.Join(',', call.Get<int[]>("numbers"))));
        await using var host = await StartAsync(s_number, join);

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(
            join.Call<string>(null, new JobBinding("numbers", Job.All(Enumerable.Range(0, 50).Select(Number))))));

        Assert.Equal(string.Join(',', Enumerable.Range(0, 50)), run.Result<string>());
        Assert.Equal(51, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task All_of_nothing_is_an_empty_array_at_once_and_nested_groups_keep_their_shape()
    {
        var shape = TestJobs.Kind("shape", call => Task.FromResult(string.Join('|', call.Get<int[][]>("groups").Select(g => g.Length))));
        await using var host = await StartAsync(s_number, s_sum, shape);

        var none = await host.EndOf(await host.Jobs.EnqueueAsync(s_sum.Call<int>(null, new JobBinding("numbers", Job.All<int>()))));
        var alone = await host.EndOf(await host.Jobs.EnqueueAsync(Job.All(Number(7), Number(8))));
        var nested = await host.EndOf(await host.Jobs.EnqueueAsync(shape.Call<string>(null, new JobBinding("groups",
            Job.All(Job.All(Number(1), Number(2)), Job.All<int>(), Job.All(Number(3)))))));

        Assert.Equal(0, none.Result<int>());
        Assert.Equal([7, 8], alone.Result<int[]>()!);
        Assert.Equal("2|0|1", nested.Result<string>());
    }

    [Fact]
    public async Task Arguments_that_are_too_large_together_fail_their_run_and_no_other()
    {
        var large = TestJobs.Kind("large", _ => Task.FromResult(new string('x', 200_000)));
        var gather = TestJobs.Kind("gather", call => Task.FromResult(call.Get<string[]>("texts").Length));
        await using var host = await StartAsync(large, gather);
        var members = Enumerable.Range(0, 400).Select(_ => large.Call<string>()); // 80 MB

        var id = await host.Jobs.EnqueueAsync(gather.Call(null, new JobBinding("texts", Job.All(members))));
        var run = await host.EndOf(id);
        var other = await host.EndOf(await host.Jobs.EnqueueAsync(large.Call()));

        Assert.Equal((JobRunState.Failed, 1), (run.State, run.Attempt));
        Assert.StartsWith("KB1219: The results that 'gather' was to be given are over 64 MB together.", run.Error!.Message);
        Assert.Equal(JobRunState.Succeeded, other.State);
    }

    [Fact]
    public async Task What_waits_for_a_job_that_fails_ends_too_at_any_distance()
    {
        //  fail   1
        //     \  / \
        //      a    b       a and c never run; b does
        //      |
        //      c
        await using var host = await StartAsync(s_number, s_add, s_fail);
        var (fail, one) = (s_fail.Call<int>(), Number(1));
        var a = s_add.Call<int>(null, new("a", fail), new("b", one));
        var b = s_add.Call<int>(null, new("a", one), new("b", one));
        var c = s_add.Call<int>(null, new("a", a), new("b", one));

        var runs = await host.Jobs.EnqueueManyAsync([c, b, fail]);
        var (endOfC, endOfB, endOfFail) = (await host.EndOf(runs[0]), await host.EndOf(runs[1]), await host.EndOf(runs[2]));

        Assert.Equal((JobRunState.UpstreamFailed, JobRunState.Succeeded, JobRunState.Failed), (endOfC.State, endOfB.State, endOfFail.State));
        Assert.Equal("UpstreamFailed", endOfC.Error!.Type);
        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 4"));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
    }

    [Fact]
    public async Task Cancelling_a_job_ends_what_waits_for_it()
    {
        await using var host = JobHost.Create(Database, [s_number, s_add]);
        var one = Number(1);
        var runs = await host.Jobs.EnqueueManyAsync([one, s_add.Call<int>(null, new("a", one), new("b", one))]);

        Assert.Equal(JobRunState.Blocked, (await host.Jobs.GetAsync(runs[1]))!.State);
        await host.Jobs.CancelAsync(runs[0]);

        Assert.Equal(JobRunState.Cancelled, (await host.Jobs.GetAsync(runs[0]))!.State);
        Assert.Equal(JobRunState.UpstreamFailed, (await host.Jobs.GetAsync(runs[1]))!.State);
    }

    [Fact]
    public async Task Jobs_that_only_come_first_give_no_argument()
    {
        var order = new List<string>();
        var note = TestJobs.Kind("note", call =>
        {
            lock (order) order.Add(call.Get<string>("name"));
            return Task.CompletedTask;
        });
        await using var host = await StartAsync(note);
        Job Note(string name) => note.Call(new { name });

        await host.EndOf(await host.Jobs.EnqueueAsync(Note("last").After(Note("second").After(Note("first")), Job.All([Note("x"), Note("y")]))));

        Assert.Equal((5, "last"), (order.Count, order[^1]));
        Assert.True(order.IndexOf("first") < order.IndexOf("second"), string.Join(' ', order));
    }

    [Fact]
    public async Task Ten_thousand_members_end_on_two_workers_and_the_sum_runs_once()
    {
        var sums = 0;
        var sum = TestJobs.Kind("sum", call =>
        {
            Interlocked.Increment(ref sums);
            return Task.FromResult(call.Get<int[]>("numbers").Sum(n => (long)n));
        });
        await using var first = await StartAsync(s_number, sum);
        await using var second = await StartAsync(s_number, sum);

        var run = await first.EndOf(await first.Jobs.EnqueueAsync(
            sum.Call<long>(null, new JobBinding("numbers", Job.All(Enumerable.Range(0, 10_000).Select(Number))))));

        Assert.Equal((JobRunState.Succeeded, 1, 49_995_000L), (run.State, sums, run.Result<long>()));
        Assert.Equal(10_000, await first.ScalarAsync<long>("select count(*) from keelback.edge where done"));
    }

    [Fact]
    public async Task A_member_that_completes_twice_counts_once()
    {
        await using var host = JobHost.Create(Database, [s_number, s_sum]);
        await host.Jobs.EnqueueAsync(s_sum.Call<int>(null, new JobBinding("numbers", Job.All(Number(1), Number(2)))));
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = Keelback.Postgres.WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var claimed = await Exchange.RunAsync(connection, new()
        {
            Outcomes = [],
            Claim = new([1], [4], [0], 1, worker, "test", ["number"]),
        }, prepare: false, default);
        var done = new Outcome.Succeeded(Assert.Single(claimed.Claimed.Claims), "1"u8.ToArray());

        var once = await Exchange.RunAsync(connection, new() { Outcomes = [done] }, prepare: false, default);
        var twice = await Exchange.RunAsync(connection, new() { Outcomes = [done] }, prepare: false, default);

        Assert.Equal((1, 0), (once.Written.Count, twice.Written.Count));
        Assert.Equal(1, await host.ScalarAsync<int>("select pending from keelback.wait"));
    }

    private static Job<int> Number(int n) => s_number.Call<int>(new { n });
}
