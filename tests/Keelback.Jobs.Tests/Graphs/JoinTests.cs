namespace Keelback.Jobs.Tests;

/// <summary>An edge from a run that exists already: open, running, ended well or badly.</summary>
public sealed class JoinTests : JobsTest
{
    private static readonly JobKind s_add = TestJobs.Kind("add", call => Task.FromResult(call.Get<int>("a") + call.Get<int>("b")));
    private static readonly JobKind s_fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);

    [Fact]
    public async Task An_edge_from_a_running_run_waits_for_its_end_and_gets_its_result()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", async call =>
        {
            await gate.PassAsync(call.Cancellation);
            return 40;
        });
        await using var host = await StartAsync(slow, s_add);
        var first = await host.Jobs.EnqueueAsync(slow.Call<int>());
        await gate.Started();

        var second = await host.Jobs.EnqueueAsync(Add(Job.Of<int>(first), 2));
        var meanwhile = (await host.Jobs.GetAsync(second))!.State;
        gate.Open();

        Assert.Equal((JobRunState.Blocked, 42), (meanwhile, (await host.EndOf(second)).Result<int>()));
    }

    [Fact]
    public async Task An_edge_from_a_run_that_succeeded_opens_at_once_and_from_one_that_did_not_ends_by_its_rule()
    {
        var tell = TestJobs.Kind("tell", call => Task.FromResult(call.Get<JobResult<int>[]>("ends")[0].State));
        await using var host = await StartAsync(s_add, s_fail, tell);
        var good = await host.Jobs.EnqueueAsync(Add(1, 2));
        var bad = await host.Jobs.EnqueueAsync(s_fail.Call<int>());
        await host.EndOf(good);
        await host.EndOf(bad);

        var afterGood = await host.EndOf(await host.Jobs.EnqueueAsync(Add(Job.Of<int>(good), 39)));
        var afterBad = await host.EndOf(await host.Jobs.EnqueueAsync(Add(Job.Of<int>(bad), 39)));
        var afterEnd = await host.EndOf(await host.Jobs.EnqueueAsync(
            tell.Call<JobRunState>(null, new JobBinding("ends", Job.AllSettled([Job.Of<int>(bad)])))));

        Assert.Equal((42, JobRunState.UpstreamFailed, JobRunState.Failed), (afterGood.Result<int>(), afterBad.State, afterEnd.Result<JobRunState>()));
        Assert.EndsWith("ended as Failed: no luck", afterBad.Error!.Message);
    }

    [Fact]
    public async Task Edges_that_come_while_their_run_ends_are_never_missed()
    {
        var job = TestJobs.Kind("job", call => Task.FromResult(call.Get<int>("n")));
        await using var host = await StartAsync(job, s_add);
        var ends = new List<Task<JobRun>>();
        for (var n = 0; n < 300; n++)
        {
            var first = await host.Jobs.EnqueueAsync(job.Call<int>(new { n }));
            if (n % 3 == 0) await Task.Yield();
            ends.Add(host.EndOf(await host.Jobs.EnqueueAsync(Add(Job.Of<int>(first), Job.Of<int>(first)))));
        }

        var sums = (await Task.WhenAll(ends)).Select(run => run.Result<int>());

        Assert.Equal(Enumerable.Range(0, 300).Select(n => 2 * n), sums);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
    }

    [Fact]
    public async Task An_edge_that_a_completion_cannot_see_yet_is_followed_once_it_is_committed()
    {
        // The completion waits for the row that the enqueueing holds, with a snapshot that is older than the edge.
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", async call =>
        {
            await gate.PassAsync(call.Cancellation);
            return 1;
        });
        await using var host = await StartAsync(slow, s_add);
        var first = Slow();
        var old = Add(first, 1);
        var runs = await host.Jobs.EnqueueManyAsync([first, old]);
        await gate.Started();

        long late;
        await using (var connection = await host.Db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            var writer = (EnqueueWriter)host.Services.GetService(typeof(EnqueueWriter))!;
            late = (await writer.WriteAsync(EnqueuePlan.Of([Add(Job.Of<int>(runs[0]), 41)]), connection, default))[0];
            gate.Open();
            await Eventually(async () => await host.ScalarAsync<long>(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") > 0, "the completion waits");
            await transaction.CommitAsync();
        }

        Assert.Equal((42, 2), ((await host.EndOf(late)).Result<int>(), (await host.EndOf(runs[1])).Result<int>()));

        Job<int> Slow() => slow.Call<int>();
    }

    [Fact]
    public async Task A_run_that_is_not_there_or_is_given_options_is_refused_and_nothing_is_written()
    {
        await using var host = JobHost.Create(Database, [s_add]);

        var missing = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(Add(Job.Of<int>(4711), 1)));
        var again = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(Job.Of(4711)));
        var options = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(Add(Job.Of<int>(4711).With(new() { Priority = 1 }), 1)));

        Assert.Equal(("KB1218", "KB1241", "KB1241"), (missing.Code, again.Code, options.Code));
        Assert.Contains("4711", missing.Message, StringComparison.Ordinal);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    // Compared in pairs, ten thousand waiting rows and as many edges would take longer than a command may.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_with_ten_thousand_followers_ends_as_any_other(bool succeeds)
    {
        var first = TestJobs.Kind("first", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [first, s_add]);
        var source = first.Call();
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 10_000).Select(n => s_add.Call(new { a = n, b = 0 }).After(source)));
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "first"));

        Outcome outcome = succeeds ? new Outcome.Succeeded(claim, default) : new Outcome.Failed(claim, new("T", "no"), JobAttemptOutcome.Failed, RetryAfter: null);
        await Exchange.RunAsync(connection, new() { Outcomes = [outcome] }, prepare: false, default);

        Assert.Equal(succeeds ? (10_000, 0) : (0, 10_000),
            (await host.ScalarAsync<int>("select count(*)::int from keelback.ready"), await host.ScalarAsync<int>("select count(*)::int from keelback.run where state = 4")));
    }

    private static Job<int> Add(Arg<int> a, Arg<int> b) => s_add.Call<int>(
        new Dictionary<string, int>(new[] { ("a", a), ("b", b) }.Where(x => x.Item2.Source is null).Select(x => KeyValuePair.Create(x.Item1, x.Item2.Value))),
        [.. new[] { ("a", a), ("b", b) }.Where(x => x.Item2.Source is not null).Select(x => JobBinding.Of(x.Item1, x.Item2.Source!))]);
}
