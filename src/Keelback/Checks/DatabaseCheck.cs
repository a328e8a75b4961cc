using Keelback.Health;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Checks;

/// <summary>Whether the database answers and has every migration.</summary>
internal sealed class DatabaseCheck(IServiceProvider services) : ICheck
{
    public bool AtStart => false;

    public async ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        // The other checks tell of settings that do not read, and without them there is no connection to ask.
        if (findings.All.Any(f => f.Code == KeelbackErrors.SettingUnreadable)) return;

        try
        {
            var pending = services.GetRequiredService<PendingMigrations>();
            foreach (var script in await pending.SystemAsync(ct))
                findings.Error(KeelbackErrors.SchemaPending, $"The keelback schema lacks {script}.", "Run 'migrate'.");

            foreach (var migration in await pending.AppAsync(ct))
                findings.Error(KeelbackErrors.MigrationsPending, $"The database lacks the migration {migration}.", "Run 'migrate'.");
        }
        catch (KeelbackException e)
        {
            findings.Error(e.Code, e.Message[(e.Code.Length + 2)..]);
        }
        catch (NpgsqlException e)
        {
            findings.Error(KeelbackErrors.DatabaseAway, $"The database does not answer: {e.Message}", "Start it, or correct the connection string.");
        }
    }
}
