using Keelback.Testing;
using Npgsql;

namespace Keelback.Postgres.Tests;

public sealed class TestDatabaseTests
{
    [Fact]
    public async Task Two_copies_of_a_template_do_not_see_each_other()
    {
        await using var one = await TestDatabase.CreateAsync(SystemTemplate.Postgres);
        await using var other = await TestDatabase.CreateAsync(SystemTemplate.Postgres);

        await one.DataSource.CreateCommand("create table public.mine ()").ExecuteNonQueryAsync();

        var here = await ScalarAsync<bool>(one, "select to_regclass('public.mine') is not null");
        var there = await ScalarAsync<bool>(other, "select to_regclass('public.mine') is not null");
        Assert.Equal((true, false), (here, there));
    }

    [Fact]
    public async Task A_template_is_prepared_once_however_many_copies_are_made()
    {
        var prepared = 0;
        var template = new TestTemplate("once", (_, _) =>
        {
            Interlocked.Increment(ref prepared);
            return Task.CompletedTask;
        });

        var copies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestDatabase.CreateAsync(template)));

        Assert.Equal(1, prepared);
        foreach (var copy in copies) await copy.DisposeAsync();
    }

    [Fact]
    public async Task A_disposed_database_is_gone_from_the_server()
    {
        await using var witness = await TestDatabase.CreateAsync(SystemTemplate.Postgres);
        var database = await TestDatabase.CreateAsync(SystemTemplate.Postgres);
        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;

        await database.DisposeAsync();

        Assert.Equal(0L, await ScalarAsync<long>(witness, $"select count(*) from pg_database where datname = '{name}'"));
    }

    [Fact]
    public async Task Databases_of_a_run_that_died_are_dropped_by_the_next_one()
    {
        await using var witness = await TestDatabase.CreateAsync(SystemTemplate.Postgres);
        await using var admin = NpgsqlDataSource.Create(witness.ConnectionString);
        await admin.CreateCommand("create database kbt_0123456789ab_1_dead template template0 strategy file_copy").ExecuteNonQueryAsync();

        await (await TestRun.CurrentAsync()).DropLeftoversAsync();

        var left = await ScalarAsync<string>(witness,
            $"select string_agg(datname, ',') from pg_database where datname in ('kbt_0123456789ab_1_dead', current_database())");
        Assert.Equal(new NpgsqlConnectionStringBuilder(witness.ConnectionString).Database, left);
    }

    private static async Task<T> ScalarAsync<T>(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
