using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Health;

/// <summary>What this code knows and the database does not have yet.</summary>
internal sealed class PendingMigrations(
    NpgsqlDataSource db, IEnumerable<SystemModule> modules, AppContextType context, IServiceScopeFactory scopes)
{
    public async Task<bool> AnyAsync(CancellationToken ct) =>
        (await SystemAsync(ct)).Count > 0 || (await AppAsync(ct)).Count > 0;

    /// <summary>Of the <c>keelback</c> schema, as <c>jobs 0002 queues</c>.</summary>
    public async Task<IReadOnlyList<string>> SystemAsync(CancellationToken ct)
    {
        var applied = await AppliedAsync(ct);
        return
        [
            .. from module in modules
               from migration in module.Migrations
               where !applied.Contains((module.Name, migration.Number))
               select $"{module.Name} {migration.Number:0000} {migration.Name}",
        ];
    }

    /// <summary>Of the app's own context; none without one.</summary>
    public async Task<IReadOnlyList<string>> AppAsync(CancellationToken ct)
    {
        if (context.Type is null) return [];

        await using var scope = scopes.CreateAsyncScope();
        var app = (DbContext)scope.ServiceProvider.GetRequiredService(context.Type);
        return [.. await app.Database.GetPendingMigrationsAsync(ct)];
    }

    private async Task<HashSet<(string Module, int Number)>> AppliedAsync(CancellationToken ct)
    {
        var applied = new HashSet<(string, int)>();
        await using var connection = await db.OpenConnectionAsync(ct);

        await using (var exists = new NpgsqlCommand("select to_regclass('keelback.migration') is not null", connection))
            if (!(bool)(await exists.ExecuteScalarAsync(ct))!) return applied;

        await using var command = new NpgsqlCommand("select module, number from keelback.migration", connection);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) applied.Add((row.GetString(0), row.GetInt32(1)));

        return applied;
    }
}

/// <summary>The context that <c>AddKeelback</c> was given; null: none.</summary>
internal sealed record AppContextType(Type? Type);
