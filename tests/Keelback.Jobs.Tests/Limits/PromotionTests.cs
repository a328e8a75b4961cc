using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>Who comes next when a key has room again. No host runs in here: each exchange is told by the test.</summary>
public sealed class PromotionTests : JobsTest
{
    [Fact]
    public async Task Room_is_used_by_who_can_use_it_however_many_wait_before_them_for_something_else_too()
    {
        var pay = SlotTests.Limited("pay", _ => Task.CompletedTask, new("all") { Slots = 2 }, new("customer:{customer}") { Slots = 1 });
        await using var host = JobHost.Create(Database, [pay]);
        await using var node = await Node.CreateAsync(host);
        var running = await EnqueueAsync(host, pay, 1, 2);
        Assert.Equal(running, await node.ClaimAsync());
        var waiting = await EnqueueAsync(host, pay, [.. Enumerable.Repeat(7, 60), 8]);
        Assert.Empty(await node.ClaimAsync());
        Assert.Equal(61, await host.ScalarAsync<long>("select count(*) from keelback.parked"));

        Assert.Equal([waiting[0], waiting[^1]], await node.CompleteAsync(running));

        Assert.Equal([waiting[1]], await node.CompleteAsync([waiting[0]]));
    }

    [Fact]
    public async Task A_key_that_has_room_while_another_has_none_gets_its_turn_when_that_one_has()
    {
        var pay = SlotTests.Limited("pay", _ => Task.CompletedTask, new("customer:{customer}") { Slots = 1 }, new("all") { Slots = 1 });
        await using var host = JobHost.Create(Database, [pay]);
        await using var node = await Node.CreateAsync(host);
        var runs = await EnqueueAsync(host, pay, 7, 7, 7, 8);
        Assert.Equal([runs[0]], await node.ClaimAsync());
        Assert.Equal([("all", 1), ("customer:7", 2)], await ParkedAsync(host));

        Assert.Equal([runs[3]], await node.CompleteAsync([runs[0]]));
        for (var i = 0; i < 3; i++) await host.Services.GetRequiredService<LimitLoop>().PromoteAsync(node.Connection, default);
        Assert.Equal([("all", 1), ("customer:7", 1)], await ParkedAsync(host)); // one stands there for both

        Assert.Equal([runs[1]], await node.CompleteAsync([runs[3]]));
        Assert.Equal([runs[2]], await node.CompleteAsync([runs[1]]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_waits_in_a_queue_that_is_paused_or_that_nobody_reads_is_in_nobodys_way(bool isPaused)
    {
        var pay = SlotTests.Limited("pay", _ => Task.CompletedTask, new LimitAttribute("gpu") { Slots = 1 });
        await using var host = JobHost.Create(Database, [pay]);
        var queues = host.Services.GetRequiredService<JobQueues>();
        var loop = host.Services.GetRequiredService<LimitLoop>();
        Task<long[]> InAsync(string queue, int count) =>
            host.Jobs.EnqueueManyAsync(Enumerable.Range(0, count).Select(i => pay.Call(new { customer = i }).With(new() { Queue = queue })));
        long[] first = await InAsync("b", 1), flood = await InAsync("a", 150);
        await using var node = await Node.CreateAsync(host, isPaused ? [] : ["b"], "b", "a");
        Assert.Equal(first, await node.ClaimAsync());
        var last = await InAsync("b", 1);
        Assert.Empty(await node.ClaimAsync());
        Assert.Equal([("gpu", 151)], await ParkedAsync(host));
        if (isPaused) await queues.PauseAsync("a");

        node.Reads("b");
        await node.CompleteAsync(first);
        for (var i = 0; i < 3; i++) await loop.PromoteAsync(node.Connection, default);
        Assert.Equal(last, await node.ClaimAsync());
        Assert.Equal([("#queue:a", 150)], await ParkedAsync(host));

        if (isPaused) await queues.ResumeAsync("a");
        await using var other = await Node.CreateAsync(host, [], "a");
        for (var i = 0; i < 3; i++) await loop.PromoteAsync(node.Connection, default);
        Assert.Equal([("gpu", 150)], await ParkedAsync(host));
        await node.CompleteAsync(last);
        Assert.Equal(flood[..1], await other.ClaimAsync());
    }

    [Fact]
    public async Task What_waits_under_a_key_that_was_forgotten_in_that_moment_is_found()
    {
        var pay = SlotTests.Limited("pay", _ => Task.CompletedTask, new LimitAttribute("one") { Slots = 1 });
        await using var host = JobHost.Create(Database, [pay]);
        await using var node = await Node.CreateAsync(host);
        var runs = await EnqueueAsync(host, pay, 1, 2);
        Assert.Equal([runs[0]], await node.ClaimAsync());
        await host.ScalarAsync<long>("with gone as (delete from keelback.bucket returning 1), slots as (delete from keelback.slot) select count(*) from gone");

        Assert.Empty(await node.CompleteAsync([runs[0]]));
        await host.Services.GetRequiredService<LimitLoop>().PromoteAsync(node.Connection, default);

        Assert.Equal([runs[1]], await node.ClaimAsync());
    }

    [Fact]
    public async Task Nodes_take_turns_at_the_look_and_who_is_asked_looks_at_once()
    {
        await using var host = JobHost.Create(Database, [], clock: Clock);
        await using var connection = await host.Db.OpenConnectionAsync();
        var interval = TimeSpan.FromMinutes(1);
        Task<TimeSpan?> TakeAsync(bool isAsked = false) => LimitTurn.TakeAsync(connection, "test", interval, isAsked, default);

        Assert.Null(await TakeAsync());
        Assert.InRange((await TakeAsync())!.Value, TimeSpan.Zero, interval);
        Assert.Null(await TakeAsync(isAsked: true));
        await LimitTurn.AgainAsync(connection, "test", TimeSpan.FromMinutes(30), default); // as if the clock had been put back since
        Assert.Null(await TakeAsync());
        Assert.NotNull(await TakeAsync());
        Clock.Advance(interval);
        Assert.Null(await TakeAsync());
        await LimitTurn.AgainAsync(connection, "test", TimeSpan.Zero, default);
        Assert.Null(await TakeAsync());
    }

    private static Task<long[]> EnqueueAsync(JobHost host, JobKind kind, params int[] customers) =>
        host.Jobs.EnqueueManyAsync(customers.Select(customer => kind.Call(new { customer })));

    private static async Task<(string Key, int Count)[]> ParkedAsync(JobHost host)
    {
        var keys = await host.ScalarAsync<string[]>("select coalesce(array_agg(b.key order by b.key, p.run_id), '{}') from keelback.parked p join keelback.bucket b on b.id = p.bucket");
        return [.. keys.GroupBy(key => key).Select(key => (key.Key, key.Count()))];
    }

    /// <summary>A worker whose exchanges the test makes.</summary>
    private sealed class Node(NpgsqlConnection connection, WorkerIdentity worker, QueueCatalog queues) : IAsyncDisposable
    {
        private readonly Dictionary<long, Claim> _claims = [];
        private string[] _reads = ["default"];

        public NpgsqlConnection Connection => connection;

        public static async Task<Node> CreateAsync(JobHost host, string[]? told = null, params string[] reads)
        {
            var connection = await host.Db.OpenConnectionAsync();
            var queues = host.Services.GetRequiredService<QueueCatalog>();
            await queues.EnsureAsync(["default"], async: true, default);
            var node = new Node(connection, WorkerRegistry.Register(connection, new("test", "node", told ?? [], "{}"), TimeSpan.FromHours(1)), queues);
            if (reads.Length > 0) node.Reads(reads);
            return node;
        }

        public void Reads(params string[] names) => _reads = names;

        public Task<long[]> ClaimAsync() => CompleteAsync([]);

        /// <summary>Ends these, and claims what is there then.</summary>
        public async Task<long[]> CompleteAsync(IEnumerable<long> runs)
        {
            var result = await Exchange.RunAsync(connection, new()
            {
                Outcomes = [.. runs.Select(run => new Outcome.Succeeded(_claims[run], default))],
                Claim = new(
                    [.. _reads.Select(queues.Number)], [.. _reads.Select(_ => (short)4)], [.. _reads.Select(_ => long.MinValue)], 10, worker, "test", ["pay"]),
            }, prepare: false, default);
            foreach (var claim in result.Claimed.Claims) _claims[claim.RunId] = claim;
            return [.. result.Claimed.Claims.Select(claim => claim.RunId).Order()];
        }

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
