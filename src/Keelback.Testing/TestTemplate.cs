using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Keelback.Testing;

/// <summary>A prepared database that test databases are copied from. Prepared once, when it is first needed; keep it in a static field.</summary>
public sealed class TestTemplate
{
    private readonly Lazy<Task<string>> _database;
    private readonly Func<NpgsqlDataSource, CancellationToken, Task> _prepare;

    /// <summary>A template that <paramref name="prepare"/> fills: migrations, seed rows.</summary>
    /// <param name="name">Part of the databases' names; lower-case letters, digits and underscores, up to 20.</param>
    /// <param name="prepare">Gets an empty database.</param>
    public TestTemplate(string name, Func<NpgsqlDataSource, CancellationToken, Task> prepare)
    {
        if (name.Length is 0 or > 20 || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
            throw TestingErrors.BadTemplateName(name);

        (Name, _prepare) = (name, prepare);
        _database = new(PrepareAsync);
    }

    /// <summary>Part of the databases' names.</summary>
    public string Name { get; }

    /// <summary>A template that holds the system schema of the packages that <paramref name="add"/> adds.</summary>
    public static TestTemplate OfPackages(string name, Action<KeelbackBuilder> add) => new(name, (db, ct) => MigrateAsync(db, add, ct));

    /// <summary>This template and more in it, as a template of its own.</summary>
    public TestTemplate With(string name, Func<NpgsqlDataSource, CancellationToken, Task> prepare) =>
        new(name, async (db, ct) =>
        {
            await _prepare(db, ct);
            await prepare(db, ct);
        });

    internal Task<string> DatabaseAsync() => _database.Value;

    private async Task<string> PrepareAsync()
    {
        var run = await TestRun.CurrentAsync();
        var database = await run.CreateDatabaseAsync(Name, template: null);

        await using (var db = NpgsqlDataSource.Create(run.ConnectionString(database, pooling: false)))
            await _prepare(db, CancellationToken.None);

        // From here on nobody can connect, so that nobody can be in the way of a copy.
        await run.ExecuteAsync($"alter database {database} with allow_connections false");
        return database;
    }

    private static async Task MigrateAsync(NpgsqlDataSource db, Action<KeelbackBuilder> add, CancellationToken ct)
    {
        var host = Host.CreateEmptyApplicationBuilder(new());
        host.Services.AddSingleton(db);
        add(new KeelbackBuilder(host).AddPostgres());

        await using var services = host.Services.BuildServiceProvider();
        await services.GetRequiredService<SystemSchema>().MigrateAsync(ct);
    }
}
