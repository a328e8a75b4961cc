using Npgsql;

namespace Keelback.Jobs.Tests;

public sealed class RateTests : JobsTest
{
    [Fact]
    public async Task No_second_sees_more_starts_than_the_limit_however_it_is_laid()
    {
        var burst = SlotTests.Limited("burst", _ => Task.CompletedTask, new LimitAttribute("api") { PerSecond = 10 });
        JobHost[] hosts = [.. Enumerable.Range(0, 3).Select(_ => JobHost.Create(Database, [burst]))];
        foreach (var host in hosts) await host.StartAsync();

        var runs = await hosts[0].Jobs.EnqueueManyAsync(Enumerable.Range(0, 35).Select(_ => burst.Call()));
        foreach (var run in runs) await hosts[0].EndOf(run);

        // The claim's own time is the start; each start begins a window.
        Assert.Equal(35, await hosts[0].ScalarAsync<long>("select count(started_at) from keelback.run"));
        Assert.InRange(await MostWithinAsync(hosts[0], "1 s"), 5, 10);
        foreach (var host in hosts) await host.DisposeAsync();
    }

    [Fact]
    public async Task Several_windows_hold_at_once()
    {
        var call = SlotTests.Limited("call", _ => Task.CompletedTask, new LimitAttribute("api") { PerMinute = 5, PerHour = 8 });
        await using var host = JobHost.Create(Database, [call]);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 20).Select(_ => call.Call()));
        Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(await host.ScalarAsync<double>("select extract(epoch from keelback.clock())::float8") % 3600));

        var started = new List<int>();
        foreach (var minutes in (double[])[0.1, 1.1, 1.1, 58, 3])
        {
            Clock.Advance(TimeSpan.FromMinutes(minutes));
            started.Add(await DrainAsync(host));
        }

        Assert.Equal([5, 3, 0, 0, 5], started); // the first five, then the hour's three; the hour ends 63 minutes after its slice began
    }

    [Fact]
    public async Task What_waits_for_a_rate_starts_when_its_time_has_come()
    {
        var call = SlotTests.Limited("call", _ => Task.CompletedTask, new LimitAttribute("api") { PerHour = 1 });
        await using var host = await JobHost.Create(Database, [call], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        var runs = await host.Jobs.EnqueueManyAsync([call.Call(), call.Call()]);
        await host.EndOf(runs[0]);
        await Eventually(async () => (await host.Jobs.GetAsync(runs[1]))!.State == JobRunState.Limited, "the second waits");

        var usage = Assert.Single(await SlotTests.Limits(host).UsageAsync("api"));
        Clock.Advance(TimeSpan.FromMinutes(64));

        Assert.Equal(("api", 0, 1), (usage.Key, usage.InUse, usage.Waiting));
        Assert.InRange(usage.OpensAt!.Value - (await host.Jobs.GetAsync(runs[0]))!.FinishedAt!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(63.1));
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(runs[1])).State);
    }

    [Theory]
    [InlineData(3600, 1)] // corrected after it had leapt: nothing of what is an hour ahead counts
    [InlineData(10, 0)] // less than a window: the start counts, and the limit holds
    public async Task A_clock_that_is_put_back_does_not_close_a_key_for_as_long_as_it_had_leapt(int seconds, int room)
    {
        var call = SlotTests.Limited("call", _ => Task.CompletedTask, new LimitAttribute("api") { PerMinute = 1 });
        await using var host = JobHost.Create(Database, [call]);
        Clock.Advance(TimeSpan.FromSeconds(seconds));
        await host.Jobs.EnqueueAsync(call.Call());
        Assert.Equal(1, await DrainAsync(host));

        // The other way round than a test's clock moves.
        await host.ScalarAsync<long>($"with put_back as (update keelback.clock_offset set by = by - interval '{seconds} s' returning 1) select count(*) from put_back");
        await host.Jobs.EnqueueAsync(call.Call());

        Assert.Equal(room, await DrainAsync(host));
        Assert.Equal(room, await host.ScalarAsync<long>("select sum(n) from keelback.starts") - 1);
    }

    [Fact]
    public async Task Keys_that_nobody_uses_are_forgotten_and_others_are_not()
    {
        var call = SlotTests.Limited("call", _ => Task.CompletedTask, new LimitAttribute("shop:{shop}") { PerMinute = 1 });
        await using var host = JobHost.Create(Database, [call]);
        await host.Jobs.EnqueueManyAsync([call.Call(new { shop = 1 }), call.Call(new { shop = 2 }), call.Call(new { shop = 2 })]);
        Assert.Equal(2, await DrainAsync(host));

        await using var connection = await host.Db.OpenConnectionAsync();
        await LimitLoop.ForgetAsync(connection, default);
        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from keelback.bucket"));
        Clock.Advance(TimeSpan.FromMinutes(2));
        await LimitLoop.ForgetAsync(connection, default);

        Assert.Equal("shop:2", await host.ScalarAsync<string>("select string_agg(key, ' ') from keelback.bucket"));
    }

    [Fact]
    public async Task Keys_with_slots_are_forgotten_too_but_not_while_one_is_held()
    {
        var call = SlotTests.Limited("call", _ => Task.CompletedTask, new LimitAttribute("shop:{shop}") { Slots = 1 });
        await using var host = JobHost.Create(Database, [call], clock: Clock);
        await host.Jobs.EnqueueManyAsync([call.Call(new { shop = 1 }), call.Call(new { shop = 2 })]);
        Assert.Equal(2, await DrainAsync(host));
        await host.Jobs.EnqueueAsync(call.Call(new { shop = 3 }));
        await using var connection = await host.Db.OpenConnectionAsync();
        Assert.Single(await ClaimAsync(host, connection, "call"));

        await LimitLoop.ForgetAsync(connection, default);

        Assert.Equal("shop:3", await host.ScalarAsync<string>("select string_agg(key, ' ') from keelback.bucket"));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.slot"));
    }

    [Theory]
    [InlineData("one", null, null, "KB1227: The limit 'one' cannot be so: it has no number: give it Slots, PerSecond, PerMinute, PerHour or PerDay.")]
    [InlineData("one", 0, null, "KB1227: The limit 'one' cannot be so: its Slots (0) must be 1 or more.")]
    [InlineData("one", 1, -1, "KB1227: The limit 'one' cannot be so: its PerSecond (-1) must be 1 or more.")]
    [InlineData("a:b", 1, 1, "KB1227: The limit 'a:b' cannot be so: a limit's name is what stands before the ':' of its keys, has 1 to 200 characters, and does not begin with '#'.")]
    public async Task Numbers_that_cannot_be_are_refused(string name, int? slots, int? perSecond, string message)
    {
        await using var host = JobHost.Create(Database, []);

        var error = await Assert.ThrowsAsync<KeelbackException>(() => SlotTests.Limits(host).SetAsync(name, new(slots, perSecond)));

        Assert.Equal(message, error.Message);
    }

    private static async Task<int> DrainAsync(JobHost host)
    {
        await using (var connection = await host.Db.OpenConnectionAsync())
        {
            await using var promote = new NpgsqlCommand("select keelback.promote(array(select id from keelback.bucket))", connection);
            await promote.ExecuteNonQueryAsync();
        }

        return await ((JobDrainer)host.Services.GetService(typeof(JobDrainer))!).DrainAsync();
    }

    private static Task<long> MostWithinAsync(JobHost host, string window) => host.ScalarAsync<long>(
        $"select max((select count(*) from keelback.run o where o.started_at >= r.started_at and o.started_at < r.started_at + interval '{window}')) from keelback.run r");
}
