using System.Text.Json;

namespace Keelback.Jobs.Tests;

/// <summary>What follows the end of a job, by each rule and each end.</summary>
public sealed class EdgeRuleTests : JobsTest
{
    private static readonly JobKind s_number = TestJobs.Kind("number", call => Task.FromResult(call.Get<int>("n")));
    private static readonly JobKind s_fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);
    private static readonly JobKind s_note = TestJobs.Kind("note", call => Task.FromResult(call.Get<int>("n")));
    private static readonly JobKind s_tell = TestJobs.Kind("tell", call => Task.FromResult(call.Get<JobFailure>("failure")));

    [Fact]
    public async Task A_success_runs_what_follows_it_with_its_result_and_skips_what_follows_a_failure()
    {
        await using var host = await StartAsync(s_number, s_note, s_tell);

        var run = await host.Jobs.EnqueueAsync(Number(7)
            .OnSuccess(n => s_note.Call<int>(null, Bound("n", n)))
            .OnError(failure => s_tell.Call<JobFailure>(null, Bound("failure", failure))));

        Assert.Equal(7, (await host.EndOf(run)).Result<int>());
        Assert.Equal(7, (await EndOf(host, "note")).Result<int>());
        var skipped = await EndOf(host, "tell");
        Assert.Equal((JobRunState.Skipped, 0, "Skipped"), (skipped.State, skipped.Attempt, skipped.Error!.Type));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
    }

    public static TheoryData<string, Func<Job, Job>> More => new()
    {
        { "With", job => job.With(new() { Tags = ["t"] }) },
        { "After", job => job.After(Number(1)) },
        { "OnSuccess", job => job.OnSuccess(Number(2)) },
        { "OnError", job => job.OnError(Number(3)) },
        { "OnError with its failure", job => job.OnError(_ => Number(3)) },
        { "Then", job => Number(4).Then(job) },
    };

    [Theory, MemberData(nameof(More))]
    public async Task What_follows_a_job_follows_it_whatever_more_is_said_of_it_and_by_whatever_type(string what, Func<Job, Job> more)
    {
        await using var host = await StartAsync(s_number, s_note);

        var run = await host.Jobs.EnqueueAsync(more(Number(7).OnSuccess(n => s_note.Call<int>(null, Bound("n", n)))), new() { Id = Guid.CreateVersion7() });

        Assert.True((await EndOf(host, "note")).Result<int>() == 7, what);
        Assert.Equal(7, (await host.EndOf(run)).Result<int>());
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run where input ->> 'n' = '7'"));
    }

    [Fact]
    public async Task A_failure_runs_what_follows_it_with_its_reason_and_ends_what_follows_a_success()
    {
        await using var host = await StartAsync(s_fail, s_note, s_tell);

        var run = await host.Jobs.EnqueueAsync(s_fail.Call<int>()
            .OnSuccess(n => s_note.Call<int>(null, Bound("n", n)))
            .OnError(failure => s_tell.Call<JobFailure>(null, Bound("failure", failure))));

        var told = (await EndOf(host, "tell")).Result<JobFailure>()!;
        Assert.Equal((run, "fail", JobRunState.Failed, "no luck"), (told.Run, told.Kind, told.State, told.Error!.Message));
        Assert.Equal(JobRunState.UpstreamFailed, (await EndOf(host, "note")).State);
    }

    [Fact]
    public async Task What_never_ran_names_the_job_that_failed_first_and_its_callback_is_told_the_same()
    {
        //  fail -> number(after) -> note -> tell (on error)
        await using var host = await StartAsync(s_fail, s_number, s_note, s_tell);
        var fail = s_fail.Call<int>();
        var last = s_note.Call<int>(new { n = 1 }).After(Number(1).After(fail)).OnError(f => s_tell.Call<JobFailure>(null, Bound("failure", f)));

        var runs = await host.Jobs.EnqueueManyAsync([last, fail]);

        var told = (await EndOf(host, "tell")).Result<JobFailure>()!;
        Assert.Equal((runs[0], JobRunState.UpstreamFailed), (told.Run, told.State));
        Assert.Equal($"Run {runs[1]} of 'fail', which this one waits for, ended as Failed: no luck", told.Error!.Message);
    }

    [Fact]
    public async Task A_cancellation_counts_as_a_failure_for_what_follows_it()
    {
        await using var host = JobHost.Create(Database, [s_number, s_tell]);
        var run = await host.Jobs.EnqueueAsync(Number(1).OnError(f => s_tell.Call<JobFailure>(null, Bound("failure", f))));

        await host.Jobs.CancelAsync(run);
        await host.StartAsync();

        Assert.Equal(JobRunState.Cancelled, (await EndOf(host, "tell")).Result<JobFailure>()!.State);
    }

    [Fact]
    public async Task AllSettled_hands_on_what_became_of_each_in_their_order()
    {
        var count = TestJobs.Kind("count", call => Task.FromResult(string.Join(' ', call.Get<JobResult<int>[]>("ends")
            .Select(end => end.Succeeded ? $"{end.Value}" : $"{end.State}:{end.Error!.Message}"))));
        await using var host = await StartAsync(s_number, s_fail, count);
        var members = Job.AllSettled([Number(1), s_fail.Call<int>(), Number(3)]);

        var bound = await host.EndOf(await host.Jobs.EnqueueAsync(count.Call<string>(null, new JobBinding("ends", members))));
        var alone = await host.EndOf(await host.Jobs.EnqueueAsync(Job.AllSettled([Number(1), s_fail.Call<int>()])));
        var none = await host.EndOf(await host.Jobs.EnqueueAsync(count.Call<string>(null, new JobBinding("ends", Job.AllSettled(Array.Empty<Job<int>>())))));

        Assert.Equal("1 Failed:no luck 3", bound.Result<string>());
        Assert.Equal([true, false], alone.Result<JobResult<int>[]>()!.Select(end => end.Succeeded));
        Assert.Equal("", none.Result<string>());
    }

    [Fact]
    public async Task A_chain_of_names_hands_each_result_on_and_a_failure_stops_the_rest()
    {
        var twice = TestJobs.Kind("twice", call => Task.FromResult(2 * call.Get<int>("n")));
        await using var host = await StartAsync(s_number, s_fail, twice);
        Job<int> Twice(Arg<int> n) => twice.Call<int>(null, Bound("n", n));

        var good = await host.EndOf(await host.Jobs.EnqueueAsync(Number(5).Then(Twice).Then(Twice)));
        var bad = await host.EndOf(await host.Jobs.EnqueueAsync(s_fail.Call<int>().Then(Twice).Then(Twice)));

        Assert.Equal((20, JobRunState.UpstreamFailed), (good.Result<int>(), bad.State));
    }

    [Fact]
    public async Task A_graph_that_follows_a_failure_is_skipped_as_a_whole_and_runs_as_a_whole()
    {
        var ran = 0;
        var undo = TestJobs.Kind("undo", call => Task.FromResult(Interlocked.Increment(ref ran)));
        var sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<JobResult<int>[]>("ends").Length));
        var tell = TestJobs.Kind("tell", call => Task.FromResult($"{call.Get<JobFailure>("failure").Kind} {call.Get<int>("undone")}"));
        await using var host = await StartAsync(s_number, s_fail, undo, sum, tell);

        // sum comes after its members however they end, and would go on where they are skipped
        Job<int> Guarded(Job<int> job) => job.OnError(f => tell.Call<string>(
            null, Bound("failure", f), new JobBinding("undone", sum.Call<int>(null, new JobBinding("ends", Job.AllSettled([undo.Call<int>(), undo.Call<int>().After(undo.Call())]))))));
        await host.EndOf(await host.Jobs.EnqueueAsync(Guarded(Number(1))));
        await AllEndedAsync(host);
        var skipped = (ran, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 7 and kind <> 'number'"));
        await host.EndOf(await host.Jobs.EnqueueAsync(Guarded(s_fail.Call<int>())));

        Assert.Equal("fail 2", (await EndOf(host, "tell")).Result<string>());
        Assert.Equal(((0, 5L), 3), (skipped, ran));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run where kind = 'undo' and state = 1 and started_at < (select finished_at from keelback.run where kind = 'fail')"));
    }

    [Fact]
    public void Then_holds_the_whole_graph_that_follows_and_After_the_one_call()
    {
        var (a, b, c) = (Number(1), Number(2), Number(3));
        var (x, y) = (Number(10), Number(11));

        Assert.Equal("1>2 1>3 2>3", Edges(a.Then(b.Then(c))));
        Assert.Equal("1>2 2>3", Edges(a.Then(b).Then(c)));
        Assert.Equal("1>10 1>11 1>gather 10>gather 11>gather", Edges(a.Then(Job.All(x, y))));
        Assert.Equal("1>10 1>note 10>note", Edges(a.Then(s_note.Call<int>(null, new JobBinding("n", x)))));
        Assert.Equal("1>note 10>note", Edges(s_note.Call<int>(null, new JobBinding("n", x)).After(a)));
        Assert.Equal("1>note 10>note 2>note", Edges(s_note.Call<int>(null, new JobBinding("n", x)).After(a).After(b)));
    }

    [Fact]
    public void A_job_of_the_graph_that_follows_waits_only_if_nothing_else_needs_it()
    {
        var (a, b, shared, own) = (Number(1), Number(2), Number(8), Number(9));
        Job Note(params Job[] jobs) => s_note.Call().After(jobs);

        // needed by the first one itself, by another graph, by another callback, by nobody else
        Assert.Equal("1>note 8>1 8>note 9>note 1>9".Split(' ').Order(), Edges(a.After(shared).OnSuccess(Note(shared, own))).Split(' '));
        Assert.Equal("1>note 2>barrier 8>barrier 8>note note>barrier".Split(' ').Order(), Edges(Job.All(new[] { b, shared, a.Then(Note(shared)) })).Split(' '));
        Assert.Equal("1>note 1>note 8>note 8>note".Split(' ').Order(), Edges(a.OnSuccess(Note(shared)).OnError(Note(shared))).Split(' '));
        Assert.Equal("1>note 1>8 8>note note>note 8>note".Split(' ').Order(), Edges(a.OnSuccess(Note(shared).OnSuccess(Note(shared)))).Split(' '));
    }

    [Fact]
    public async Task A_graph_of_ten_thousand_follows_one_job()
    {
        await using var host = JobHost.Create(Database, [s_number]);
        await host.Jobs.EnqueueAsync(Number(0).Then(Job.All(Enumerable.Range(1, 10_000).Select(Number))));
        var before = await host.ScalarAsync<long>("select count(*) from keelback.ready");
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "number"));

        await Exchange.RunAsync(connection, new() { Outcomes = [new Outcome.Succeeded(claim, "0"u8.ToArray())] }, prepare: false, default);

        Assert.Equal((1, 10_000), (before, await host.ScalarAsync<long>("select count(*) from keelback.ready")));
    }

    [Fact]
    public void A_circle_by_way_of_a_callback_is_refused_and_named()
    {
        // The callback is also what its own job waits for.
        var error = Assert.Throws<KeelbackException>(() => EnqueuePlan.Of([Circle()]));

        Assert.Equal("KB1240", error.Code);
        Assert.Contains("note -> number -> note", error.Message, StringComparison.Ordinal);

        static Job Circle()
        {
            Job? note = null;
            var number = Number(1).OnSuccess(_ => note!);
            note = s_note.Call(new { n = 1 });
            return number.After(note);
        }
    }

    [Fact]
    public void To_wait_for_a_success_and_a_failure_of_one_job_is_refused()
    {
        var note = s_note.Call(new { n = 1 });

        var error = Assert.Throws<KeelbackException>(() => EnqueuePlan.Of([Number(1).OnSuccess(note).OnError(note)]));

        Assert.Equal("KB1242", error.Code);
    }

    internal static JobBinding Bound<T>(string parameter, Arg<T> argument) => JobBinding.Of(parameter, argument.Source!);

    // Each run by its number, or its kind's last word.
    private static string Edges(Job job)
    {
        var plan = EnqueuePlan.Of([job]);
        return string.Join(' ', plan.Runs.SelectMany(run => run.Ups.Keys.Select(up => $"{Name(up)}>{Name(run)}")).Order());

        static string Name(PlannedRun run) =>
            run.Kind == s_number ? JsonDocument.Parse(run.Payload).RootElement.GetProperty("n").GetRawText() : run.Kind.Name.Split('.')[^1];
    }

    private static Task AllEndedAsync(JobHost host) =>
        Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all ended");

    private static async Task<JobRun> EndOf(JobHost host, string kind) =>
        await host.EndOf(await host.ScalarAsync<long>($"select max(id) from keelback.run where kind = '{kind}'"));

    private static Job<int> Number(int n) => s_number.Call<int>(new { n });
}
