using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Kinds and tags that may not run.</summary>
public sealed class RevocationTests : JobsTest
{
    private static JobRevocations Revocations(JobHost host) => host.Services.GetRequiredService<JobRevocations>();

    [Fact]
    public async Task Runs_of_a_revoked_kind_are_cancelled_now_and_later_and_by_workers_that_start_later()
    {
        var ran = 0;
        var bad = TestJobs.Kind("bad", _ => Task.FromResult(Interlocked.Increment(ref ran)));
        var good = TestJobs.Kind("good", _ => Task.CompletedTask);
        await using var web = JobHost.Create(Database, []);
        var before = await web.Jobs.EnqueueAsync(bad.Call());
        await Revocations(web).RevokeKindAsync("bad", reason: "It mails everyone twice.");
        await using var host = await StartAsync(bad, good);

        var first = await host.EndOf(before);
        var later = await host.EndOf(await web.Jobs.EnqueueAsync(bad.Call()));
        var other = await host.EndOf(await web.Jobs.EnqueueAsync(good.Call()));

        Assert.Equal((JobRunState.Cancelled, JobRunState.Cancelled, JobRunState.Succeeded, 0), (first.State, later.State, other.State, ran));
        Assert.Equal(new JobError("Revoked", "The kind 'bad' is revoked. It mails everyone twice."), later.Error);
        Assert.Equal("bad", Assert.Single(await Revocations(web).ListAsync()).Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_revoked_spends_no_start_of_its_limit(bool isByTag)
    {
        var call = TestJobs.Kind("call", _ => Task.CompletedTask).With(new LimitAttribute("api") { PerHour = 5 });
        await using var host = JobHost.Create(Database, [call]);
        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 7).Select(_ => call.Call().With(new() { Tags = ["bad"] })));
        if (isByTag) await Revocations(host).RevokeTagAsync("bad");
        else await Revocations(host).RevokeKindAsync("call");

        await host.StartAsync();

        foreach (var run in runs) Assert.Equal(JobRunState.Cancelled, (await host.EndOf(run)).State);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.starts"));
    }

    [Fact]
    public async Task A_worker_hears_of_it_while_it_runs_and_that_it_is_taken_back()
    {
        var job = TestJobs.Kind("job", _ => Task.CompletedTask);
        await using var host = await StartAsync(job);
        await using var web = JobHost.Create(Database, []);

        await Revocations(web).RevokeKindAsync("job");
        await Eventually(async () => (await host.EndOf(await web.Jobs.EnqueueAsync(job.Call()))).State == JobRunState.Cancelled, "it is revoked");
        Assert.True(await Revocations(web).AllowKindAsync("job"));

        await Eventually(async () => (await host.EndOf(await web.Jobs.EnqueueAsync(job.Call()))).State == JobRunState.Succeeded, "it is allowed");
        Assert.False(await Revocations(web).AllowKindAsync("job"));
    }

    [Fact]
    public async Task A_tag_is_revoked_for_as_long_as_it_says()
    {
        var job = TestJobs.Kind("job", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [job], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        await Revocations(host).RevokeTagAsync("tenant-7", TimeSpan.FromHours(1));
        await Eventually(async () => (await TaggedAsync("tenant-7")).State == JobRunState.Cancelled, "it is revoked");
        var other = await TaggedAsync("tenant-8");

        Clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal(JobRunState.Succeeded, other.State);
        await Eventually(async () => (await TaggedAsync("tenant-7")).State == JobRunState.Succeeded, "its time is over");
        Assert.Empty(await Revocations(host).ListAsync());

        async Task<JobRun> TaggedAsync(string tag)
        {
            var id = await host.Jobs.EnqueueAsync(job.Call(), new() { Delay = TimeSpan.FromMilliseconds(200) });
            await host.ScalarAsync<long>($"with i as (insert into keelback.tag values ('{tag}', {id}) returning 1) select count(*) from i");
            await Eventually(() => Task.FromResult(Advance()), "a moment passes");
            return await host.EndOf(id);
        }

        bool Advance()
        {
            Clock.Advance(TimeSpan.FromMilliseconds(300));
            return true;
        }
    }
}
