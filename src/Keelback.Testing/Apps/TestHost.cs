using Keelback.Data;
using Keelback.Jobs;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Testing;

/// <summary>One running app on a database of its own, lent to one test at a time.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly NpgsqlDataSource _db;
    private readonly IAsyncDisposable _factory;
    private readonly Func<HttpClient> _createClient;
    private readonly OuterTransaction _outer;
    private NpgsqlConnection? _connection;

    private TestHost(
        object key, TestDatabase database, NpgsqlDataSource db, IAsyncDisposable factory, IServiceProvider services,
        Func<HttpClient> createClient, MailOutbox mail, QueryLog queries)
    {
        (Key, _database, _db, _factory, Services, _createClient, Mail, Queries) = (key, database, db, factory, services, createClient, mail, queries);
        _outer = services.GetRequiredService<OuterTransaction>();
        Jobs = new(services.GetRequiredService<JobDrainer>(), services);
        OnCommit = new(_outer);
        Users = services.GetRequiredService<TestUsers>();
        Clock = services.GetRequiredService<HostClock>();
    }

    /// <summary>Which tests may have it.</summary>
    public object Key { get; }

    public IServiceProvider Services { get; }

    public TestJobs Jobs { get; }

    public MailOutbox Mail { get; }

    public QueryLog Queries { get; }

    public CommitCallbacks OnCommit { get; }

    public TestUsers Users { get; }

    public HostClock Clock { get; }

    public static async Task<TestHost> StartAsync<TProgram>(object key, TestTemplate template, Action<Microsoft.AspNetCore.Hosting.IWebHostBuilder> configure)
        where TProgram : class
    {
        var database = await TestDatabase.CreateAsync(template);
        var (mail, queries) = (new MailOutbox(), new QueryLog());
        var db = queries.Watch(database.ConnectionString);
        var factory = new AppFactory<TProgram>(db, mail, configure);

        return new(
            key, database, db, factory, factory.Services,
            () => factory.CreateClient(new WebApplicationFactoryClientOptions { AllowAutoRedirect = false }), mail, queries);
    }

    public HttpClient CreateClient() => _createClient();

    public async Task BeginAsync(TestIsolation isolation)
    {
        if (isolation == TestIsolation.RolledBack)
        {
            _connection = await _db.OpenConnectionAsync();
            _outer.Current = await _connection.BeginTransactionAsync();
        }

        Services.GetRequiredService<OneAtATime>().Enabled = isolation == TestIsolation.RolledBack;
        Clock.Current = _connection is null ? new TestClock(_db) : new TestClock(_connection);
        Queries.Pinned = _connection;
        Queries.Clear();
    }

    public async Task EndAsync()
    {
        if (_connection is not null)
        {
            var transaction = _outer.Current!;
            _outer.Current = null;
            _outer.Forget();

            // A test that failed half-way may have left the connection in any state; its end rolls back in any case.
            await transaction.DisposeAsync();
            await _connection.DisposeAsync();
            _connection = null;
        }

        Clock.Current = new TestClock();
        Queries.Pinned = null;
        Mail.Clear();
        Users.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _factory.DisposeAsync();
        await _db.DisposeAsync();
        await _database.DisposeAsync();
    }
}
