using Keelback.Postgres;
using Keelback.Postgres.Tests;
using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs.Tests;

public sealed class StartTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_database_that_goes_away_once_the_schema_is_there_is_waited_for(bool runWorker)
    {
        using var lines = new LogLines();
        await using var host = JobHost.Create(Database, [s_note], o => o.RunWorker = runWorker, services =>
        {
            services.AddSingleton<ILoggerProvider>(lines);
            services.AddSingleton<IHostedService>(new GoesAway(Database));
        });

        var start = host.StartAsync();
        await lines.NextAsync(1002);
        await OpenAsync(Database, "true");

        await start.WaitAsync(Patience);
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.queue where name = 'default'"));
    }

    [Fact]
    public async Task A_queue_that_nobody_ever_used_is_made_with_a_warning_that_names_the_nearest()
    {
        using var lines = new LogLines();
        var mail = TestJobs.Kind("mail", _ => Task.CompletedTask, j => j.Queue = "mail");
        await using var host = JobHost.Create(Database, [mail], o =>
        {
            o.Queues.Add("mail");
            o.Queues.Add("mial");
        }, services => services.AddSingleton<ILoggerProvider>(lines));

        await host.StartAsync();

        Assert.Equal("No job of this app was ever put into the queue 'mial', from which this worker takes jobs; it is made now. Did you mean 'mail'?", (await lines.NextAsync(1262)).Text);
        Assert.Equal(1, lines.Count(1262));
    }

    private static async Task OpenAsync(TestDatabase database, string open)
    {
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var name = connection.Database;
        await using var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "postgres", Pooling = false });
        await using var allow = admin.CreateCommand($"alter database {name} allow_connections {open}");
        await allow.ExecuteNonQueryAsync();
        await using var hangUp = admin.CreateCommand($"select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = '{name}'");
        if (open == "false") await hangUp.ExecuteNonQueryAsync();
    }

    /// <summary>Takes the database away after the first step of the start.</summary>
    private sealed class GoesAway(TestDatabase database) : HostStep
    {
        public override Task StartingAsync(CancellationToken cancellationToken) => OpenAsync(database, "false");
    }
}
