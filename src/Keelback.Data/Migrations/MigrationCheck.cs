using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Data;

/// <summary>Finds drift: a model that its migrations do not describe, and a database that lacks some of them.</summary>
internal sealed class MigrationCheck(IServiceScopeFactory scopes, IEnumerable<DataContext> contexts) : ICheck
{
    public bool AtStart => false; // it asks the database

    public async ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        foreach (var context in contexts)
        {
            var db = (DbContext)scope.ServiceProvider.GetRequiredService(context.Type);
            if (db.Database.HasPendingModelChanges())
                findings.Error("KB1110", $"The model of {context.Type.Name} has changes that no migration has.", "Run makemigrations.");

            foreach (var migration in await new Migrator(db).ListAsync(ct))
            {
                if (!migration.Applied)
                    findings.Error("KB1117", $"The database lacks the migration {migration.Id}.", "Run migrate.");
                else if (!migration.Known)
                    findings.Error("KB1112", $"The database has the migration {migration.Id}, which this program does not know.",
                        "Deploy the newer program.");
            }
        }
    }
}

/// <summary>A context that <c>AddData</c> added; commands that concern all of them enumerate these.</summary>
internal sealed record DataContext(Type Type);
