using Keelback.Data;
using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>What this code knows and the database does not have yet: of the <c>keelback</c> schema, and of the app's contexts.</summary>
internal sealed class PendingMigrations(SystemSchema schema, IEnumerable<DataContext> contexts, IServiceScopeFactory scopes)
{
    public async Task<bool> AnyAsync(CancellationToken ct)
    {
        if ((await schema.PendingAsync(ct)).Count > 0) return true;

        await using var scope = scopes.CreateAsyncScope();
        foreach (var context in contexts)
        {
            var db = (DbContext)scope.ServiceProvider.GetRequiredService(context.Type);
            if ((await new Migrator(db).ListAsync(ct)).Any(migration => !migration.Applied)) return true;
        }

        return false;
    }
}
