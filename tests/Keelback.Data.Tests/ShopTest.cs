using System.Collections.Concurrent;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Data.Tests;

/// <summary>A shop with its own database for each test class's instance; what was logged is kept.</summary>
public abstract class ShopTest : IAsyncLifetime
{
    private static readonly TestTemplate s_template = new("shop", async (source, ct) =>
    {
        await using var db = new Shop(Options(source).Options);
        await db.Database.EnsureCreatedAsync(ct);
        await using var ledger = source.CreateCommand("create table ledger (id int generated always as identity, entry text not null)");
        await ledger.ExecuteNonQueryAsync(ct);
    });

    private protected TestDatabase Database { get; private set; } = null!;

    private protected LogLines Logged { get; } = new();

    public async Task InitializeAsync() => Database = await TestDatabase.CreateAsync(s_template);

    public async Task DisposeAsync() => await Database.DisposeAsync();

    private protected Shop Open(Action<DbContextOptionsBuilder<Shop>>? more = null)
    {
        var options = Options(Database.DataSource);
        options.UseLoggerFactory(Logged.Factory);
        more?.Invoke(options);
        return new(options.Options);
    }

    private protected async Task<string[]> LedgerAsync() => await ColumnAsync("select entry from ledger order by id");

    private protected async Task<string[]> InvoicesAsync() => await ColumnAsync("select number from invoices order by id");

    private protected async Task<string[]> ColumnAsync(string sql)
    {
        await using var command = Database.DataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync()) values.Add(reader.GetString(0));
        return [.. values];
    }

    private static DbContextOptionsBuilder<Shop> Options(NpgsqlDataSource source) =>
        new DbContextOptionsBuilder<Shop>().UseNpgsql(source).UseKeelback();
}

/// <summary>Keeps what Keelback.Data logs.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public LogLines() => Factory = LoggerFactory.Create(logging => logging.AddProvider(this));

    public ILoggerFactory Factory { get; }

    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) =>
        categoryName == "Keelback.Data" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel level, EventId id, TState state, Exception? e, Func<TState, Exception?, string> format) =>
        _lines.Enqueue($"{id.Id}: {format(state, e)}{(e is null ? "" : $" ({e.Message})")}");

    public void Dispose()
    {
    }
}
