using Keelback.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

public sealed class DrainTests : JobsTest
{
    [Fact]
    public async Task Draining_runs_what_is_due_and_what_that_enqueues_in_order()
    {
        var order = new List<string>();
        var child = TestJobs.Kind("child", _ => Note("child"));
        var parent = TestJobs.Kind("parent", async call =>
        {
            await Note("parent");
            await call.Services.GetRequiredService<JobClient>().EnqueueAsync(child.Call());
        });
        Task Note(string name)
        {
            order.Add(name);
            return Task.CompletedTask;
        }

        await using var host = JobHost.Create(Database, [parent, child]);
        await host.Jobs.EnqueueAsync(parent.Call());
        await host.Jobs.EnqueueAsync(child.Call(), new() { Delay = TimeSpan.FromHours(1) });

        var ran = await host.Services.GetRequiredService<JobDrainer>().DrainAsync();

        Assert.Equal(2, ran);
        Assert.Equal(["parent", "child"], order);
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.timer"));
    }

    [Fact]
    public async Task Draining_inside_a_tests_transaction_leaves_nothing_behind()
    {
        var ran = 0;
        var count = TestJobs.Kind("count", _ => Task.FromResult(++ran));
        var outer = new OuterTransaction();
        await using var host = JobHost.Create(Database, [count], services: s => s.AddSingleton(outer));
        await using (var connection = await Database.DataSource.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            outer.Current = transaction;
            var call = count.Call<int>();
            var run = await host.Jobs.EnqueueAsync(count.Call().After(call));
            await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(count.Call(new { a = "\0" })));

            Assert.Equal(2, await host.Services.GetRequiredService<JobDrainer>().DrainAsync());
            Assert.Equal((JobRunState.Succeeded, 2), ((await host.Jobs.GetAsync(run))!.State, ran));
            outer.Current = null;
        }

        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.worker"));
    }
}
