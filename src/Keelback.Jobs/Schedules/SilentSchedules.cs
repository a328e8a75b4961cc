using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Says once of a schedule that it is silent: it ticked while the database's clock was ahead, and its next tick is further away than its trigger's next from now.</summary>
internal sealed class SilentSchedules(TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);

    private readonly Dictionary<int, DateTimeOffset> _told = [];
    private long? _lookedAt;

    /// <summary>Once a minute; between is nothing to do.</summary>
    public async Task LookAsync(NpgsqlConnection connection, TickerIdentity me, CancellationToken ct)
    {
        if (_lookedAt is { } last && clock.GetElapsedTime(last) < s_pause) return;

        foreach (var row in await TickStatements.AheadAsync(connection, me, ct))
        {
            if (row.NextAt is not { } next || row.AsOfNow().Source.Next(row.Now) is not { } fromNow || next <= fromNow) continue;
            if (_told.TryGetValue(row.Id, out var told) && told == next) continue;

            _told[row.Id] = next;
            Log.ScheduleSilent(log, row.Name, next, fromNow);
        }

        _lookedAt = clock.GetTimestamp();
    }
}
