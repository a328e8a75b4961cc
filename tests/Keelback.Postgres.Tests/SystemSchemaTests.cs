using Keelback.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Keelback.Postgres.Tests;

public sealed class SystemSchemaTests : IAsyncLifetime
{
    private static readonly TestTemplate s_empty = new("empty", (_, _) => Task.CompletedTask);
    private static readonly SystemMigration s_first = SystemModule.Embedded("postgres", typeof(PostgresOptions).Assembly).Migrations[0];
    private static readonly SystemMigration s_second = new(2, "note", "create table keelback.note (text text not null)");
    private static readonly SystemMigration s_third = new(3, "seed", "insert into keelback.note values ('once')");

    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(s_empty);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Scripts_run_once_and_in_order()
    {
        var first = await Schema(s_first, s_second, s_third).MigrateAsync(default);
        var second = await Schema(s_first, s_second, s_third).MigrateAsync(default);

        Assert.Equal((3, 0, 1L), (first, second, await NotesAsync()));
    }

    [Fact]
    public async Task Nodes_that_start_at_once_run_each_script_once()
    {
        var nodes = Enumerable.Range(0, 8).Select(_ => Task.Run(() => Schema(s_first, s_second, s_third).MigrateAsync(default)));

        var applied = await Task.WhenAll(nodes);

        Assert.Equal((3, 1L), (applied.Sum(), await NotesAsync()));
    }

    [Fact]
    public async Task A_script_that_fails_leaves_nothing_and_those_before_it_stay()
    {
        var broken = new SystemMigration(3, "seed", "insert into keelback.note values ('half'); select 1 / 0");

        await Assert.ThrowsAsync<PostgresException>(() => Schema(s_first, s_second, broken).MigrateAsync(default));

        Assert.Equal(0L, await NotesAsync());
        Assert.Equal(["test 0003 seed"], await Schema(s_first, s_second, s_third).PendingAsync(default));
    }

    [Fact]
    public async Task A_program_older_than_the_schema_says_so()
    {
        await Schema(s_first, s_second, s_third).MigrateAsync(default);

        var e = await Assert.ThrowsAsync<KeelbackException>(() => Schema(s_first, s_second).MigrateAsync(default));

        Assert.Equal(
            "KB1003: The keelback schema is newer than this program: module 'test' is at 0003, this program knows 0002. " +
            "Deploy the newer program; an older one that runs already may go on.", e.Message);
    }

    [Fact]
    public async Task A_script_that_was_edited_after_it_ran_is_noticed()
    {
        await Schema(s_first, s_second).MigrateAsync(default);
        var edited = new SystemMigration(2, "note", "create table keelback.note (text text)");

        var e = await Assert.ThrowsAsync<KeelbackException>(() => Schema(s_first, edited).MigrateAsync(default));

        Assert.Equal(
            $"KB1005: The keelback schema was not made by this program's scripts: module 'test' has 'note' ({s_second.Checksum}) as 0002, " +
            $"where this program has 'note' ({edited.Checksum}). " +
            "Use another database, or restore the rows of keelback.migration that a release wrote.", e.Message);
    }

    [Fact]
    public async Task A_missing_row_is_noticed()
    {
        await Schema(s_first, s_second, s_third).MigrateAsync(default);
        await _database.DataSource.CreateCommand("delete from keelback.migration where number = 2").ExecuteNonQueryAsync();

        var e = await Assert.ThrowsAsync<KeelbackException>(() => Schema(s_first, s_second, s_third).MigrateAsync(default));

        Assert.StartsWith("KB1005: The keelback schema was not made by this program's scripts: module 'test' has nothing as 0002,", e.Message);
    }

    [Fact]
    public void Windows_line_ends_do_not_change_a_checksum() =>
        Assert.Equal(new SystemMigration(1, "a", "one\ntwo\n").Checksum, new SystemMigration(1, "a", "one\r\ntwo\r\n").Checksum);

    private SystemSchema Schema(params SystemMigration[] migrations) =>
        new(_database.DataSource, [new SystemModule("test", migrations)], NullLogger<SystemSchema>.Instance);

    private async Task<long> NotesAsync()
    {
        await using var command = _database.DataSource.CreateCommand("select count(*) from keelback.note");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
