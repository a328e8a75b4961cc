using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Tells other processes by NOTIFY, on a connection of its own, many signals in one.</summary>
/// <remarks>
/// Never in the user's transaction: a commit with a NOTIFY in it takes a lock that all such commits of the server share.
/// What cannot be sent is dropped, since polling finds the work.
/// </remarks>
internal sealed class WakeUpRelay(
    NpgsqlDataSource db, WakeUps wakeUps, WakeUpLink link, TimeProvider clock, ILogger<WakeUpRelay> log) : PollingService(clock, log)
{
    /// <summary>At most one NOTIFY in this time, whatever the rate of signals.</summary>
    private static readonly TimeSpan s_gap = TimeSpan.FromMilliseconds(5);

    /// <summary>About what a claim takes.</summary>
    private static readonly TimeSpan s_headStart = TimeSpan.FromMilliseconds(2);

    private readonly TimeProvider _clock = clock;
    private NpgsqlConnection? _connection;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (!link.Enabled) return Task.CompletedTask;

        wakeUps.Signalled += Wake;
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        wakeUps.Signalled -= Wake;
        await base.StopAsync(cancellationToken);
        await CloseAsync();
    }

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        // This process's own loops were woken with us, and go first: the server need not do both at once.
        if (wakeUps.AreHeardHere) await Task.Delay(s_headStart, _clock, stopping);

        var channels = wakeUps.TakePending();
        if (channels.Count == 0) return TimeSpan.FromHours(1); // until woken

        if (_connection is { FullState: not ConnectionState.Open }) await CloseAsync(); // broke while it was idle
        try
        {
            _connection ??= await link.OpenAsync(db, stopping);
            foreach (var message in link.Encode(channels))
            {
                // A signal may be lost, so its commit need not wait for the disk: it would wait beside the claims that it is for.
                await using var notify = new NpgsqlCommand("select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)", _connection);
                notify.Parameters.AddWithValue(WakeUpLink.Channel);
                notify.Parameters.AddWithValue(message);
                await notify.ExecuteNonQueryAsync(stopping);
            }
        }
        catch
        {
            await CloseAsync();
            throw;
        }

        await Task.Delay(s_gap, _clock, stopping);
        return TimeSpan.Zero;
    }

    private async Task CloseAsync()
    {
        if (_connection is { } connection) await connection.DisposeAsync();
        _connection = null;
    }
}
