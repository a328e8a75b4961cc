using Npgsql;

namespace Keelback.Testing;

/// <summary>A database of its own, copied from a template in tens of milliseconds and dropped when disposed. One per test class.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly TestRun _run;
    private readonly string _name;

    private TestDatabase(TestRun run, string name)
    {
        (_run, _name) = (run, name);
        ConnectionString = run.ConnectionString(name);
        DataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    /// <summary>Key-value pairs, password included.</summary>
    public string ConnectionString { get; }

    /// <summary>Pooled connections to this database; closed when it is disposed.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Copies the template; its commits do not wait for the disk.</summary>
    /// <exception cref="KeelbackException">KB1020-KB1028: there is no server, and none can be started.</exception>
    public static async Task<TestDatabase> CreateAsync(TestTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        var run = await TestRun.CurrentAsync();
        var source = await template.DatabaseAsync();

        return new(run, await run.CreateDatabaseAsync(template.Name, source));
    }

    /// <summary>Ends every session in the database and drops it.</summary>
    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await _run.DropDatabaseAsync(_name);
    }
}
