using Keelback.Postgres;
using Npgsql;

namespace Keelback.Bench;

/// <summary>A database for one run, on the server that KEELBACK_TEST_DB names or else on the project's private cluster; dropped at the end.</summary>
internal sealed class BenchDatabase : IAsyncDisposable
{
    private readonly (string ConnectionString, IDisposable? Seat) _server;
    private readonly string _name = $"keelback_bench_{Environment.ProcessId}";

    private BenchDatabase((string ConnectionString, IDisposable? Seat) server) => _server = server;

    public string ConnectionString => new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Database = _name }.ConnectionString;

    public static async Task<BenchDatabase> CreateAsync(bool durable)
    {
        var database = new BenchDatabase(Environment.GetEnvironmentVariable("KEELBACK_TEST_DB") is { Length: > 0 } configured
            ? (ConnectionUrl.ToKeywords(configured), null)
            : ProjectCluster.Take(AppContext.BaseDirectory));

        // A commit that waits for the disk hides what the code on either side costs; where it is what is measured, it waits.
        await database.OnServerAsync($"create database {database._name}");
        await database.OnServerAsync($"alter database {database._name} set synchronous_commit = {(durable ? "on" : "off")}");
        return database;
    }

    /// <summary>The server's process id, when it runs on this machine, and what decides its speed.</summary>
    public async Task<(int? Postmaster, string Settings)> DescribeAsync()
    {
        await using var db = NpgsqlDataSource.Create(ConnectionString);
        await using var command = db.CreateCommand(
            """
            select pg_backend_pid(), format('PostgreSQL %s, fsync %s, synchronous_commit %s, shared_buffers %s',
                current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'), current_setting('shared_buffers'))
            """);
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        return (Cores.ParentOfBackend(row.GetInt32(0)), row.GetString(1)); // the backend lives while it is read
    }

    public async ValueTask DisposeAsync()
    {
        await OnServerAsync($"drop database {_name} with (force)");
        _server.Seat?.Dispose();
    }

    private async Task OnServerAsync(string sql)
    {
        await using var db = NpgsqlDataSource.Create(_server.ConnectionString);
        await using var command = db.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
