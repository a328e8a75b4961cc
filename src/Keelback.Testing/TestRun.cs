using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Keelback.Testing;

/// <summary>This process's databases on the test server, and the clearing away of those that dead processes left.</summary>
/// <remarks>
/// A run is alive as long as its session on the server is: databases are named <c>kbt_(run)_…</c>, and the session carries the run
/// as its application name. No process ids, so runs on several machines may share a server.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "The session lives as long as the process: its end is how others see that the run is over.")]
internal sealed class TestRun
{
    private const string Prefix = "kbt_";

    // One run is one process, whatever number of test classes it holds.
    private static readonly Lazy<Task<TestRun>> s_current = new(StartAsync);

    private readonly string _id = Guid.CreateVersion7().ToString("N")[^12..];
    private readonly NpgsqlConnectionStringBuilder _admin;
    private readonly NpgsqlConnection _session;
    private readonly SemaphoreSlim _turn = new(1, 1);
    [SuppressMessage("Style", "IDE0052", Justification = "Held for the life of the process: once collected, it would be given up.")]
    private readonly IDisposable? _seat;

    private string _strategy = "wal_log";
    private int _databases;

    private TestRun(string admin, IDisposable? seat)
    {
        _seat = seat;
        _admin = new(admin) { ApplicationName = Prefix + _id, Pooling = false };
        _admin.Database ??= "postgres";
        _session = new(_admin.ConnectionString);
    }

    public static Task<TestRun> CurrentAsync() => s_current.Value;

    public string ConnectionString(string database, bool pooling = true) =>
        new NpgsqlConnectionStringBuilder(_admin.ConnectionString)
        {
            Database = database,
            Pooling = pooling,
            ApplicationName = null,
            IncludeErrorDetail = true,
        }.ConnectionString;

    /// <summary>A new database, empty or a copy; its commits do not wait for the disk, so that a durable server can serve tests.</summary>
    public async Task<string> CreateDatabaseAsync(string name, string? template)
    {
        var database = $"{Prefix}{_id}_{Interlocked.Increment(ref _databases)}_{name}";

        await ExecuteAsync($"create database {database} template {template ?? "template0"} strategy {_strategy}");
        await ExecuteAsync($"alter database {database} set synchronous_commit = off");
        return database;
    }

    public Task DropDatabaseAsync(string database) => ExecuteAsync($"drop database if exists {database} with (force)");

    public Task ExecuteAsync(string sql) => InTurnAsync(async () =>
    {
        await using var command = new NpgsqlCommand(sql, _session);
        await command.ExecuteNonQueryAsync();
        return true;
    });

    private static async Task<TestRun> StartAsync()
    {
        var (admin, seat) = TestServer.Take();
        var run = new TestRun(admin, seat);
        await run._session.OpenAsync();

        // Copying files takes a fifth of the time of writing them to the WAL, but three times as long where each must reach the disk.
        run._strategy = await run.ReadAsync("show fsync") is ["off"] ? "file_copy" : "wal_log";
        await run.DropLeftoversAsync();
        return run;
    }

    public async Task DropLeftoversAsync()
    {
        // Databases before sessions: a run opens its session first, so one that is listed and has none is dead.
        var databases = await ReadAsync($"select datname from pg_database where datname like '{Prefix.Replace("_", "\\_")}%'");
        var alive = (await ReadAsync($"select application_name from pg_stat_activity where application_name like '{Prefix.Replace("_", "\\_")}%'"))
            .ToHashSet();

        foreach (var database in databases.Where(d => !alive.Contains(string.Join('_', d.Split('_').Take(2)))))
        {
            try
            {
                await DropDatabaseAsync(database);
            }
            catch (PostgresException)
            {
                // Another run that starts now is dropping it too.
            }
        }
    }

    private Task<List<string>> ReadAsync(string sql) => InTurnAsync(async () =>
    {
        var texts = new List<string>();
        await using var command = new NpgsqlCommand(sql, _session);
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync()) texts.Add(row.GetString(0));
        return texts;
    });

    private async Task<T> InTurnAsync<T>(Func<Task<T>> work)
    {
        await _turn.WaitAsync();
        try
        {
            return await work();
        }
        finally
        {
            _turn.Release();
        }
    }
}
