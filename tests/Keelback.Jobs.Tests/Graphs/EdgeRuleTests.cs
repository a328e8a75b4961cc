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

    private static async Task<JobRun> EndOf(JobHost host, string kind) =>
        await host.EndOf(await host.ScalarAsync<long>($"select max(id) from keelback.run where kind = '{kind}'"));

    private static Job<int> Number(int n) => s_number.Call<int>(new { n });
}
