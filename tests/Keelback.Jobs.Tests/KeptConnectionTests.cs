using System.Data;
using Npgsql;

namespace Keelback.Jobs.Tests;

public sealed class KeptConnectionTests : JobsTest
{
    [Theory]
    [InlineData(10, "kept")]
    [InlineData(9, "")]
    public async Task Who_comes_after_gets_the_same_session_as_it_was_left_unless_the_pool_is_small(int pool, string mark)
    {
        await using var db = NpgsqlDataSource.Create($"{Database.ConnectionString};Maximum Pool Size={pool}");
        await using var kept = new KeptConnection(db, Clock);
        await MarkAndGiveBackAsync(kept);

        var next = await kept.TakeAsync(default);

        Assert.Equal(mark, await MarkAsync(next.Connection));
        await kept.GiveBackAsync(next);
    }

    [Fact]
    public async Task Two_at_once_have_two_and_one_is_kept()
    {
        await using var kept = new KeptConnection(Database.DataSource, Clock);
        var (first, second) = (await kept.TakeAsync(default), await kept.TakeAsync(default));
        Assert.NotSame(first.Connection, second.Connection);

        await kept.GiveBackAsync(second);
        await kept.GiveBackAsync(first);

        Assert.Same(second, await kept.TakeAsync(default));
        Assert.Equal(ConnectionState.Closed, first.Connection.State);
        await kept.GiveBackAsync(second);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_goes_back_to_the_pool_after_a_while_idle_or_not(bool idle)
    {
        await using var kept = new KeptConnection(Database.DataSource, Clock);
        var taken = await MarkAndGiveBackAsync(kept);
        if (!idle) Assert.Same(taken, await kept.TakeAsync(default));

        Clock.Advance(KeptConnection.Longest + TimeSpan.FromSeconds(1));
        if (!idle) await kept.GiveBackAsync(taken);

        await Eventually(() => Task.FromResult(taken.Connection.State == ConnectionState.Closed), "the pool has it back");
        var next = await kept.TakeAsync(default);
        Assert.Equal("", await MarkAsync(next.Connection));
        await kept.GiveBackAsync(next);
    }

    [Fact]
    public async Task One_that_is_broken_is_not_kept()
    {
        await using var kept = new KeptConnection(Database.DataSource, Clock);
        var taken = await kept.TakeAsync(default);
        await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(taken.Connection, "select pg_terminate_backend(pg_backend_pid())"));
        await kept.GiveBackAsync(taken);

        var next = await kept.TakeAsync(default);

        Assert.NotSame(taken, next);
        await ExecuteAsync(next.Connection, "select 1");
        await kept.GiveBackAsync(next);
    }

    [Fact]
    public async Task What_ends_keeps_nothing_and_takes_nothing_back()
    {
        var kept = new KeptConnection(Database.DataSource, Clock);
        var (first, second) = (await kept.TakeAsync(default), await kept.TakeAsync(default));
        await kept.GiveBackAsync(first);

        await kept.DisposeAsync();
        await kept.GiveBackAsync(second);

        Assert.Equal((ConnectionState.Closed, ConnectionState.Closed), (first.Connection.State, second.Connection.State));
    }

    // Only a session that nobody resets still has it.
    private static async Task<KeptConnection.Kept> MarkAndGiveBackAsync(KeptConnection kept)
    {
        var taken = await kept.TakeAsync(default);
        await ExecuteAsync(taken.Connection, "set test.mark = 'kept'");
        await kept.GiveBackAsync(taken);
        return taken;
    }

    private static async Task<string> MarkAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select coalesce(current_setting('test.mark', true), '')", connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
