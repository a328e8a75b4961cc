using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

public sealed class RetentionTests : JobsTest
{
    [Fact]
    public async Task Weeks_of_ended_runs_are_dropped_and_an_open_run_keeps_its_own()
    {
        var count = TestJobs.Kind("count", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [count], clock: Clock);
        await host.Services.GetRequiredService<JobRevocations>().RevokeTagAsync("for an hour", TimeSpan.FromHours(1));
        await host.Services.GetRequiredService<JobRevocations>().RevokeKindAsync("for good");
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 50).Select(_ => count.Call().With(new() { Tags = ["old"] })));
        var open = await host.Jobs.EnqueueAsync(count.Call(), new() { Delay = TimeSpan.FromDays(365), Id = Guid.CreateVersion7() });
        await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        var retention = host.Services.GetRequiredService<RetentionLoop>();

        var early = await retention.RetireAsync(default);
        Clock.Advance(TimeSpan.FromDays(30));
        await PartitionKeeper.MakeAsync(host.Db, default);
        var late = await retention.RetireAsync(default);

        Assert.Equal((0, 0), early);
        Assert.Equal(50, late.Runs);
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run"));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.tag"));
        Assert.Equal("for good", await host.ScalarAsync<string>("select string_agg(value, ' ') from keelback.revocation"));
        await host.Jobs.CancelAsync(open);
        Clock.Advance(TimeSpan.FromDays(10));
        Assert.InRange((await retention.RetireAsync(default)).Partitions, 1, 4);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.uniq"));
    }

    [Fact]
    public async Task Each_app_keeps_its_runs_as_long_as_it_says()
    {
        var count = TestJobs.Kind("count", _ => Task.CompletedTask);
        await using var here = JobHost.Create(Database, [count], o => o.Retention = TimeSpan.FromDays(7), app: "here", clock: Clock);
        await using var there = JobHost.Create(Database, [count], o => o.Retention = TimeSpan.FromDays(90), app: "there", clock: Clock);
        foreach (var host in new[] { here, there })
        {
            await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 10).Select(_ => count.Call()));
            await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        }

        Clock.Advance(TimeSpan.FromDays(30));
        await here.Services.GetRequiredService<RetentionLoop>().RetireAsync(default);
        await there.Services.GetRequiredService<RetentionLoop>().RetireAsync(default);

        const string Left = "select count(*) from keelback.run r join keelback.queue q on q.id = r.queue where q.app = ";
        Assert.Equal((0L, 10L), (await here.ScalarAsync<long>(Left + "'here'"), await here.ScalarAsync<long>(Left + "'there'")));
    }
}
