using Keelback.Health;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Checks;

/// <summary>Whether the context's model is what its last migration left. Asks no database.</summary>
internal sealed class DriftCheck(AppContextType context, IServiceScopeFactory scopes) : ICheck
{
    public bool AtStart => false; // the model takes its time, and the start must not wait for it

    public async ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        if (context.Type is null) return;

        await using var scope = scopes.CreateAsyncScope();
        var db = (DbContext)scope.ServiceProvider.GetRequiredService(context.Type);
        if (db.Database.HasPendingModelChanges())
        {
            findings.Error(
                KeelbackErrors.ModelDrifted,
                $"The model of {context.Type.Name} differs from its last migration.",
                "Run 'makemigrations NAME' and commit the file.");
        }
    }
}
