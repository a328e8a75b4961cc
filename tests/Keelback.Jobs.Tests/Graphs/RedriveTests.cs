using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Runs of a graph that are opened again by hand, one after the other or in part.</summary>
public sealed class RedriveTests : JobsTest
{
    private static readonly JobKind s_ends = TestJobs.Kind("ends", call => Task.FromResult(Text(call)));
    private static readonly JobKind s_sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<int[]>("numbers").Sum()));

    [Fact]
    public async Task Members_that_are_retried_one_after_the_other_are_both_waited_for()
    {
        var broken = true;
        var gate = new Gate();
        var shaky = TestJobs.Kind("shaky", async call =>
        {
            if (broken) throw new InvalidOperationException("no luck");
            if (call.Get<bool>("isSlow")) await gate.PassAsync(call.Cancellation);
            return 20;
        }, d => d.MaxAttempts = 1);
        var (slow, quick) = (shaky.Call<int>(new { isSlow = true }), shaky.Call<int>(new { isSlow = false }));
        await using var host = await StartAsync(shaky, s_sum);
        var runs = await host.Jobs.EnqueueManyAsync([Sum(slow, quick), slow, quick]);
        foreach (var run in runs) await host.EndOf(run);

        broken = false;
        Assert.True(await host.Jobs.RetryAsync(runs[1])); // the other still keeps the body from running
        await gate.Started();
        Assert.True(await host.Jobs.RetryAsync(runs[2]));
        await host.EndOf(runs[2]);
        Assert.Equal(JobRunState.Blocked, (await host.Jobs.GetAsync(runs[0]))!.State);
        gate.Open();
        var body = await host.EndOf(runs[0]);

        Assert.Equal((JobRunState.Succeeded, 40), (body.State, body.Result<int>()));
    }

    [Fact]
    public async Task A_cancelled_body_does_not_run_without_its_failed_member()
    {
        var broken = true;
        var shaky = TestJobs.Kind("shaky", _ => broken ? throw new InvalidOperationException("no luck") : Task.FromResult(20), d => d.MaxAttempts = 1);
        var member = shaky.Call<int>();
        await using var host = JobHost.Create(Database, [shaky, s_sum]);
        var runs = await host.Jobs.EnqueueManyAsync([Sum(member), member]);
        Assert.True(await host.Jobs.CancelAsync(runs[0]));
        await host.StartAsync();
        await host.EndOf(runs[1]);

        Assert.False(await host.Jobs.RetryAsync(runs[0]));
        Assert.Equal(JobRunState.Cancelled, (await host.Jobs.GetAsync(runs[0]))!.State);
        broken = false;
        Assert.Equal(2, await host.Jobs.RetryGraphAsync(runs[0]));

        Assert.Equal(20, (await host.EndOf(runs[0])).Result<int>());
    }

    [Fact]
    public async Task A_body_that_ran_and_waits_again_counts_its_attempts_on()
    {
        var fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);
        var ran = 0;
        var body = TestJobs.Kind<int>("body", _ =>
        {
            ran++;
            throw new InvalidOperationException("nor here");
        }, d => d.MaxAttempts = 1);
        await using var host = await StartAsync(fail, body);
        var run = await host.Jobs.EnqueueAsync(body.Call<int>(null, new JobBinding("ends", Job.AllSettled([fail.Call<int>()]))));
        Assert.Equal((JobRunState.Failed, 1), ((await host.EndOf(run)).State, (await host.EndOf(run)).Attempt));

        Assert.Equal(2, await host.Jobs.RetryGraphAsync(run));
        var again = await host.EndOf(run);

        Assert.Equal((JobRunState.Failed, 2, 2), (again.State, again.Attempt, ran));
        Assert.Equal([1, 2], (await host.Jobs.GetAttemptsAsync(run)).Select(attempt => attempt.Number));
    }

    [Fact]
    public async Task A_body_that_has_not_started_waits_for_a_retried_member_as_well()
    {
        var (slowGate, quickGate, broken) = (new Gate(), new Gate(), true);
        var slow = TestJobs.Kind("slow", async call =>
        {
            await slowGate.PassAsync(call.Cancellation);
            return 1;
        });
        var quick = TestJobs.Kind("quick", async call =>
        {
            if (broken) throw new InvalidOperationException("no luck");
            await quickGate.PassAsync(call.Cancellation);
            return 2;
        }, d => d.MaxAttempts = 1);
        await using var host = await StartAsync(slow, quick, s_ends);
        var (first, second) = (slow.Call<int>(), quick.Call<int>());
        var runs = await host.Jobs.EnqueueManyAsync([Ends(first, second), first, second]);
        await host.EndOf(runs[2]);

        broken = false;
        Assert.True(await host.Jobs.RetryAsync(runs[2]));
        await quickGate.Started();
        slowGate.Open();
        await host.EndOf(runs[1]);
        Assert.Equal(JobRunState.Blocked, (await host.Jobs.GetAsync(runs[0]))!.State);
        quickGate.Open();

        Assert.Equal("Succeeded:1 Succeeded:2", (await host.EndOf(runs[0])).Result<string>());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_callback_that_has_not_started_follows_the_new_end(bool failsAgain)
    {
        var (gate, tries) = (new Gate(), 0);
        var shaky = TestJobs.Kind("shaky", async call =>
        {
            if (tries++ == 0) throw new InvalidOperationException("no luck");
            await gate.PassAsync(call.Cancellation);
            return failsAgain ? throw new InvalidOperationException("nor now") : 2;
        }, d => d.MaxAttempts = 1);
        var page = TestJobs.Kind("page", call => Task.FromResult(call.Get<JobFailure>("failure").Error!.Message));
        await using var host = JobHost.Create(Database, [shaky, page]);
        Job<string> Page(EnqueueOptions options, Arg<JobFailure> failure) => page.Call<string>(null, JobBinding.Of("failure", failure.Source!)).With(options);
        var run = await host.Jobs.EnqueueAsync(shaky.Call<int>()
            .OnError(failure => Page(new() { Queue = "pages" }, failure))
            .OnError(failure => Page(new() { Delay = TimeSpan.FromHours(1) }, failure)));
        await host.Services.GetRequiredService<JobQueues>().PauseAsync("pages");
        await host.StartAsync();
        await host.EndOf(run);
        var ready = await host.ScalarAsync<long>("select run_id from keelback.ready");
        var delayed = await host.ScalarAsync<long>("select id from keelback.run where kind = 'page' and due_at is not null");

        Assert.True(await host.Jobs.RetryAsync(run));
        await gate.Started();
        await host.Services.GetRequiredService<JobQueues>().ResumeAsync("pages");
        Assert.Equal((JobRunState.Blocked, JobRunState.Blocked), ((await host.Jobs.GetAsync(ready))!.State, (await host.Jobs.GetAsync(delayed))!.State));
        gate.Open();

        var end = await host.EndOf(ready);
        Assert.Equal(failsAgain ? JobRunState.Succeeded : JobRunState.Skipped, end.State);
        if (failsAgain) Assert.Equal("nor now", end.Result<string>());
        Assert.Equal(failsAgain ? JobRunState.Scheduled : JobRunState.Skipped, (await host.Jobs.GetAsync(delayed))!.State);
    }

    [Fact]
    public async Task A_body_that_has_started_is_put_off_until_a_retried_member_has_ended()
    {
        var (bodyGate, gate, broken, bodies) = (new Gate(), new Gate(), true, 0);
        var shaky = TestJobs.Kind("shaky", async call =>
        {
            if (broken) throw new InvalidOperationException("no luck");
            await gate.PassAsync(call.Cancellation);
            return 2;
        }, d => d.MaxAttempts = 1);
        var body = TestJobs.Kind("body", async call =>
        {
            if (++bodies > 1) return Text(call);
            await bodyGate.PassAsync(call.Cancellation);
            throw JobExit.Retry(TimeSpan.Zero);
        });
        await using var host = await JobHost.Create(Database, [shaky, body], clock: Clock).StartAsync();
        var member = shaky.Call<int>();
        var runs = await host.Jobs.EnqueueManyAsync([body.Call<string>(null, new JobBinding("ends", Job.AllSettled([member]))), member]);
        await bodyGate.Started();
        broken = false;
        Assert.True(await host.Jobs.RetryAsync(runs[1]));
        await gate.Started();
        bodyGate.Open();
        await Eventually(() => host.ScalarAsync<bool>($"select started_at is not null from keelback.run where id = {runs[0]}"), "the second attempt was put off");
        gate.Open();
        await host.EndOf(runs[1]);
        Clock.Advance(TimeSpan.FromSeconds(6));

        var end = await host.EndOf(runs[0]);
        Assert.Equal(("Succeeded:2", 2, 2), (end.Result<string>(), end.Attempt, bodies));
    }

    // A look for each pair of runs would take minutes; a command may take 30 s.
    [Fact]
    public async Task A_graph_of_20_000_runs_is_opened_again()
    {
        const int N = 20_000;
        var fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);
        await using var host = JobHost.Create(Database, [fail, s_sum]);
        var run = await host.Jobs.EnqueueAsync(Sum([.. Enumerable.Range(0, N).Select(_ => fail.Call<int>())]));
        await host.ScalarAsync<long>(
            """
            with q as (delete from keelback.ready), w as (delete from keelback.wait), e as (update keelback.edge set done = true), r as (
                update keelback.run set state = case kind when 'fail' then 2 else 4 end, attempt = case kind when 'fail' then 1 end, finished_at = keelback.clock() returning 1)
            select count(*) from r
            """);

        Assert.Equal(N + 1, await host.Jobs.RetryGraphAsync(run));

        Assert.Equal(N, await host.ScalarAsync<int>("select pending from keelback.wait"));
        Assert.Equal(N, await host.ScalarAsync<long>("select count(*) from keelback.edge where not done"));
        Assert.Equal(N, await host.ScalarAsync<long>("select count(*) from keelback.ready"));
    }

    private static string Text(JobCall call) => string.Join(' ', call.Get<JobResult<int>[]>("ends").Select(end => $"{end.State}:{end.Value}"));

    private static Job<string> Ends(params Job<int>[] members) => s_ends.Call<string>(null, new JobBinding("ends", Job.AllSettled(members)));

    private static Job<int> Sum(params Job<int>[] numbers) => s_sum.Call<int>(null, new JobBinding("numbers", Job.All(numbers)));
}
