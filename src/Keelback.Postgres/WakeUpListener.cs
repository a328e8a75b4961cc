using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Hears other processes by LISTEN, and wakes this one's loops.</summary>
internal sealed class WakeUpListener(
    NpgsqlDataSource db, WakeUps wakeUps, WakeUpLink link, TimeProvider clock, ILogger<WakeUpListener> log) : PollingService(clock, log)
{
    public override Task StartAsync(CancellationToken cancellationToken) =>
        link.Enabled ? base.StartAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Listens for as long as the connection lasts.</summary>
    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await using var connection = await link.OpenAsync(db, stopping);
        connection.Notification += (_, e) =>
        {
            foreach (var channel in link.Decode(e.Payload)) wakeUps.WakeHere(channel);
        };

        await using (var listen = new NpgsqlCommand($"listen {WakeUpLink.Channel}", connection))
            await listen.ExecuteNonQueryAsync(stopping);

        wakeUps.WakeAllHere();
        while (true) await connection.WaitAsync(stopping);
    }
}
