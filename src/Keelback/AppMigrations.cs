using Keelback.Data;
using Keelback.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>Where <see cref="KeelbackOptions.MigrateAtStart"/> says so, applies the app's migrations before any of its services starts.</summary>
/// <remarks>Registered after the system schema's own step, and services start in that order. Safe on several nodes at once.</remarks>
internal sealed class AppMigrations(IEnumerable<DataContext> contexts, IOptions<KeelbackOptions> options, IServiceScopeFactory scopes) : HostStep
{
    public override async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.MigrateAtStart) return;

        await using var scope = scopes.CreateAsyncScope();
        foreach (var context in contexts)
        {
            var db = (DbContext)scope.ServiceProvider.GetRequiredService(context.Type);
            if (db.Database.GetMigrations().Any()) await new Migrator(db).MigrateAsync(target: null, TextWriter.Null, cancellationToken);
        }
    }
}
