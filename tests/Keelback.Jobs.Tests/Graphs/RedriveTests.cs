namespace Keelback.Jobs.Tests;

/// <summary>Runs of a graph that are opened again by hand, one after the other or in part.</summary>
public sealed class RedriveTests : JobsTest
{
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

    private static Job<int> Sum(params Job<int>[] numbers) => s_sum.Call<int>(null, new JobBinding("numbers", Job.All(numbers)));
}
