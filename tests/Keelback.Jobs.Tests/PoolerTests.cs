using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>A pooler in transaction mode: the server session behind a connection changes, and with it go the statements that were prepared.</summary>
public sealed class PoolerTests : JobsTest
{
    [Theory]
    [InlineData("deallocate all")]
    [InlineData("discard all")]
    public async Task Statements_that_are_gone_are_sent_again_unprepared_and_from_then_on_never_prepared(string behindItsBack)
    {
        await using var host = JobHost.Create(Database, []);
        await using var one = NpgsqlDataSource.Create(Database.ConnectionString + ";Maximum Pool Size=1");
        var prepared = new PreparedStatements();
        var asked = new ExchangeRequest { Outcomes = [], Known = (new WorkerIdentity(4711, 1), []) };
        await using (var first = new Exchange(one, prepared, NullLogger<Exchange>.Instance)) await first.RunAsync(asked, default);
        Assert.True(prepared.Enabled);
        Assert.NotEqual(0L, await ScalarAsync(one, "select count(*) from pg_prepared_statements"));

        await ScalarAsync(one, behindItsBack);
        await using (var second = new Exchange(one, prepared, NullLogger<Exchange>.Instance)) await second.RunAsync(asked, default);

        Assert.False(prepared.Enabled);
        await using (var third = new Exchange(one, prepared, NullLogger<Exchange>.Instance)) await third.RunAsync(asked, default);
        Assert.Equal(0L, await ScalarAsync(one, "select count(*) from pg_prepared_statements"));
    }

    [Fact]
    public async Task A_transactional_job_whose_statements_are_gone_keeps_its_attempt_and_commits_once()
    {
        var drop = TestJobs.Kind("drop", async call =>
        {
            var db = call.Services.GetRequiredService<DbContext>();
            await db.Database.ExecuteSqlRawAsync("insert into effects default values");
            await db.Database.ExecuteSqlRawAsync("deallocate all"); // on the second run of a session its completion is prepared
        }, defaults => (defaults.Transactional, defaults.MaxAttempts) = (true, 1));
        await using var host = JobHost.Create(Database, [drop], o => o.Concurrency = 1, data: keelback => keelback.AddData<Plain>());
        await host.ScalarAsync<int>("create table effects (id int generated always as identity); select 1");
        await host.StartAsync();

        var ended = new List<JobRun>();
        for (var i = 0; i < 50 && host.Services.GetRequiredService<PreparedStatements>().Enabled; i++)
            ended.Add(await host.EndOf(await host.Jobs.EnqueueAsync(drop.Call())));

        Assert.False(host.Services.GetRequiredService<PreparedStatements>().Enabled); // one did meet it
        Assert.All(ended, run => Assert.Equal((JobRunState.Succeeded, 1), (run.State, run.Attempt)));
        Assert.Equal(ended.Count, await host.ScalarAsync<long>("select count(*) from effects"));
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource db, string sql)
    {
        await using var command = db.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    internal sealed class Plain(DbContextOptions<Plain> options) : DbContext(options);
}
