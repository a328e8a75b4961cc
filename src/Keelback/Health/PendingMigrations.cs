using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Health;

/// <summary>What this code knows and the database does not have yet.</summary>
internal sealed class PendingMigrations(SystemSchema schema, AppContextType context, IServiceScopeFactory scopes)
{
    public async Task<bool> AnyAsync(CancellationToken ct) =>
        (await SystemAsync(ct)).Count > 0 || (await AppAsync(ct)).Count > 0;

    /// <summary>Of the <c>keelback</c> schema.</summary>
    public Task<IReadOnlyList<string>> SystemAsync(CancellationToken ct) => schema.PendingAsync(ct);

    /// <summary>Of the app's own context; none without one.</summary>
    public async Task<IReadOnlyList<string>> AppAsync(CancellationToken ct)
    {
        if (context.Type is null) return [];

        await using var scope = scopes.CreateAsyncScope();
        var app = (DbContext)scope.ServiceProvider.GetRequiredService(context.Type);
        return [.. await app.Database.GetPendingMigrationsAsync(ct)];
    }
}

/// <summary>The context that <c>AddKeelback</c> was given; null: none.</summary>
internal sealed record AppContextType(Type? Type);
