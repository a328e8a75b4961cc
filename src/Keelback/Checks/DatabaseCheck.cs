using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>Whether the database answers and has the <c>keelback</c> schema of this code. The app's migrations have a check of their own.</summary>
internal sealed class DatabaseCheck(IServiceProvider services) : ICheck
{
    public bool AtStart => false;

    public async ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        foreach (var script in await services.GetRequiredService<SystemSchema>().PendingAsync(ct))
            findings.Error(KeelbackErrors.SchemaPending, $"The keelback schema lacks {script}.", "Run 'migrate'.");
    }
}
