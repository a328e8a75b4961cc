using Keelback.Testing;
using Microsoft.Extensions.Options;

namespace Keelback.Postgres.Tests;

public sealed class LeaseTests : IAsyncLifetime
{
    private static readonly TimeSpan s_length = TimeSpan.FromSeconds(10);
    private static readonly LeaseHolder s_ada = new(1, 1);
    private static readonly LeaseHolder s_bob = new(2, 1);

    private TestDatabase _database = null!;
    private TestClock _clock = null!;
    private LeaseStore _leases = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(SystemTemplate.Postgres);
        _clock = new(_database.DataSource);
        _leases = Of("shop");
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_lease_that_is_held_is_nobody_elses()
    {
        var first = await AcquireAsync(s_ada, "part:1", "part:2");

        var second = await AcquireAsync(s_bob, "part:2", "part:3");

        Assert.Equal([("part:1", 1), ("part:2", 1)], first);
        Assert.Equal([("part:3", 1)], second);
    }

    [Fact]
    public async Task Renewing_lengthens_the_lease_and_keeps_the_epoch()
    {
        await AcquireAsync(s_ada, "part:1");
        _clock.Advance(TimeSpan.FromSeconds(8));
        var renewed = await AcquireAsync(s_ada, "part:1");
        _clock.Advance(TimeSpan.FromSeconds(8));

        var other = await AcquireAsync(s_bob, "part:1");

        Assert.Equal([("part:1", 1)], renewed);
        Assert.Empty(other);
    }

    [Fact]
    public async Task A_lease_that_ended_goes_to_another_under_a_new_epoch()
    {
        await AcquireAsync(s_ada, "part:1");
        _clock.Advance(s_length + TimeSpan.FromSeconds(1));

        Assert.Equal([("part:1", 2)], await AcquireAsync(s_bob, "part:1"));
        Assert.Empty(await AcquireAsync(s_ada, "part:1"));
    }

    [Fact]
    public async Task A_worker_that_lost_its_own_lease_meanwhile_is_another_holder()
    {
        await AcquireAsync(s_ada, "part:1");

        Assert.Empty(await AcquireAsync(s_ada with { WorkerEpoch = 2 }, "part:1"));
    }

    [Fact]
    public async Task A_lease_given_up_is_free_at_once_and_its_epoch_never_comes_back()
    {
        var held = await _leases.AcquireAsync(["part:1"], s_ada, s_length, default);
        var given = await _leases.ReleaseAsync(held, default);

        Assert.Equal(1, given);
        Assert.Equal([("part:1", 2)], await AcquireAsync(s_bob, "part:1"));
    }

    [Fact]
    public async Task A_former_holder_cannot_give_up_what_is_anothers()
    {
        var old = await _leases.AcquireAsync(["part:1"], s_ada, s_length, default);
        _clock.Advance(s_length + TimeSpan.FromSeconds(1));
        await AcquireAsync(s_bob, "part:1");

        Assert.Equal(0, await _leases.ReleaseAsync(old, default));
        Assert.Empty(await AcquireAsync(s_ada, "part:1"));
    }

    [Fact]
    public async Task Many_that_ask_at_once_share_the_leases_without_a_deadlock()
    {
        var names = Enumerable.Range(0, 50).Select(i => $"part:{i}").ToArray();

        var got = await Task.WhenAll(Enumerable.Range(1, 8).Select(worker => Task.Run(() =>
            _leases.AcquireAsync(worker % 2 == 0 ? names : [.. names.Reverse()], new(worker, 1), s_length, default))));

        Assert.Equal(names.Order(), got.SelectMany(leases => leases.Select(lease => lease.Name)).Order());
    }

    [Fact]
    public async Task While_a_transaction_holds_a_lease_nobody_takes_it_over()
    {
        var lease = Assert.Single(await _leases.AcquireAsync(["part:1"], s_ada, s_length, default));
        await using var connection = await _database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        Assert.True(await _leases.HoldAsync(connection, transaction, lease, default));
        _clock.Advance(s_length + TimeSpan.FromSeconds(1));
        var takeover = AcquireAsync(s_bob, "part:1");
        await Assert.ThrowsAsync<TimeoutException>(() => takeover.WaitAsync(TimeSpan.FromMilliseconds(200)));
        await transaction.CommitAsync();

        Assert.Equal([("part:1", 2)], await takeover);
    }

    [Fact]
    public async Task A_lost_lease_cannot_be_held()
    {
        var lease = Assert.Single(await _leases.AcquireAsync(["part:1"], s_ada, s_length, default));
        _clock.Advance(s_length + TimeSpan.FromSeconds(1));
        await using var connection = await _database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        Assert.False(await _leases.HoldAsync(connection, transaction, lease, default));
    }

    [Fact]
    public async Task Two_apps_have_their_own_leases()
    {
        await AcquireAsync(s_ada, "part:1");

        var other = await Of("blog").AcquireAsync(["part:1"], s_bob, s_length, default);

        Assert.Single(other);
    }

    private LeaseStore Of(string app) => new(_database.DataSource, Options.Create(new PostgresOptions { App = app }));

    private async Task<IEnumerable<(string Name, int Epoch)>> AcquireAsync(LeaseHolder holder, params string[] names) =>
        (await _leases.AcquireAsync(names, holder, s_length, default)).Select(lease => (lease.Name, (int)lease.Epoch));
}
