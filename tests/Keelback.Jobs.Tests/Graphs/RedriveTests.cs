namespace Keelback.Jobs.Tests;

/// <summary>Runs of a graph that are opened again by hand, one after the other or in part.</summary>
public sealed class RedriveTests : JobsTest
{
    private static readonly JobKind s_sum = TestJobs.Kind("sum", call => Task.FromResult(call.Get<int[]>("numbers").Sum()));

    [Fact]
    public async Task Members_that_are_retried_one_after_the_other_are_both_waited_for()
    {
        var broken = true;
        var shaky = TestJobs.Kind("shaky", _ => broken ? throw new InvalidOperationException("no luck") : Task.FromResult(20), d => d.MaxAttempts = 1);
        var (one, two) = (shaky.Call<int>(), shaky.Call<int>());
        await using var host = JobHost.Create(Database, [shaky, s_sum], o => o.Concurrency = 1);
        var runs = await host.Jobs.EnqueueManyAsync([Sum(one, two), one, two]);
        await host.StartAsync();
        foreach (var run in runs) await host.EndOf(run);
        await host.StopAsync();

        broken = false;
        await using var later = JobHost.Create(Database, [shaky, s_sum], o => o.Concurrency = 1);
        Assert.True(await later.Jobs.RetryAsync(runs[1])); // the other still keeps the body from running
        Assert.True(await later.Jobs.RetryAsync(runs[2]));
        await later.StartAsync();
        var body = await later.EndOf(runs[0]);

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

        var e = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.RetryAsync(runs[0]));
        broken = false;
        Assert.Equal(2, await host.Jobs.RetryGraphAsync(runs[0]));

        Assert.Equal("KB1243", e.Code);
        Assert.Equal(20, (await host.EndOf(runs[0])).Result<int>());
    }

    [Fact]
    public async Task A_body_that_ran_and_waits_again_counts_its_attempts_on()
    {
        var fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);
        var body = TestJobs.Kind("body", _ => throw new InvalidOperationException("nor here"), d => d.MaxAttempts = 1);
        await using var host = await StartAsync(fail, body);
        var run = await host.Jobs.EnqueueAsync(body.Call<int>(null, new JobBinding("ends", Job.AllSettled([fail.Call<int>()]))));
        Assert.Equal((JobRunState.Failed, 1), ((await host.EndOf(run)).State, (await host.EndOf(run)).Attempt));

        Assert.Equal(2, await host.Jobs.RetryGraphAsync(run));
        var again = await host.EndOf(run);

        Assert.Equal((JobRunState.Failed, 2), (again.State, again.Attempt));
        Assert.Equal([1, 2], (await host.Jobs.GetAttemptsAsync(run)).Select(attempt => attempt.Number));
    }

    private static Job<int> Sum(params Job<int>[] numbers) => s_sum.Call<int>(null, new JobBinding("numbers", Job.All(numbers)));
}
