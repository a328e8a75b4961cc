using Keelback.Jobs;
using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Looks every 10 s, on one node of the app at a time, for what will hurt soon; says it when it begins and when it is over.</summary>
internal sealed class HealthWatch(
    NpgsqlDataSource db, QueueCatalog catalog, CleaningLook cleaning, IOptions<OpsOptions> configured, TimeProvider clock, ILogger<HealthWatch> log)
    : PollingService(clock, log)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    /// <summary>How long a warning counts after it was seen last: six looks.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await LookAsync(stopping);
        return s_interval;
    }

    internal async Task<bool> LookAsync(CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!await Turn.TakeAsync(connection, $"health:{catalog.App}", s_interval * 0.9, ct)) return false;

        var found = new List<(string Key, string Text)>();
        found.AddRange(await cleaning.FindAsync(connection, ct));
        found.AddRange(await QueuesAsync(connection, ct));
        found.AddRange(await SchedulesAsync(connection, ct));
        found.AddRange(await DeadRowsAsync(connection, ct));
        await NoteAsync(connection, found, ct);

        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task<List<(string, string)>> QueuesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select q.name, q.paused, l.ready, keelback.clock() - l.oldest_at,
                   exists (select from keelback.worker w where w.app = q.app and w.lease_until > keelback.clock() and (w.queues = '{}' or q.name = any(w.queues)))
            from keelback.queue q join keelback.queue_look l on l.queue = q.id
            where q.app = $1 and l.ready > 0
            order by q.name
            """, connection);
        command.Parameters.AddWithValue(catalog.App);

        var found = new List<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var (name, paused, ready, age) = (row.GetString(0), row.GetBoolean(1), row.GetInt32(2), row.IsDBNull(3) ? TimeSpan.Zero : row.GetTimeSpan(3));
            if (!row.GetBoolean(4))
                found.Add(($"unserved:{name}", $"{(ready == 1 ? "1 run waits" : $"{Show.Bounded(ready)} runs wait")} in queue '{name}', and no live worker takes it. Start one, or add the queue to Keelback:Jobs:Queues of one."));
            else if (age > configured.Value.WarnReady)
                found.Add(($"oldest:{name}", paused
                    ? $"Queue '{name}' is paused, and its oldest run could have started {Minutes(age)} ago."
                    : $"The oldest run in queue '{name}' could have started {Minutes(age)} ago. Add workers or slots, or look at what they run now."));
        }

        return found;
    }

    /// <summary>Schedules that are long due, where a node that may fire one does so at once. Three, since without a worker all are.</summary>
    private async Task<List<(string, string)>> SchedulesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select name, live, array_to_string(kinds, ', '), keelback.clock() - fire_at
            from keelback.schedule
            where app = $1 and fire_at < keelback.clock() - $2
            order by fire_at limit 3
            """, connection);
        command.Parameters.AddWithValue(catalog.App);
        command.Parameters.AddWithValue(configured.Value.WarnReady);

        var found = new List<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var (name, isLive, kinds) = (row.GetString(0), row.GetBoolean(1), row.GetString(2));
            found.Add(($"schedule:{name}", $"Schedule '{name}' was due {Minutes(row.GetTimeSpan(3))} ago, and no node fires it: none that runs jobs " + (isLive
                ? $"has it in its code and knows {kinds}. Start one; if older code started last, restart one with the newer."
                : $"knows {kinds}. Deploy the code, or change or pause the schedule.")));
        }

        return found;
    }

    private async Task<List<(string, string)>> DeadRowsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select n_dead_tup, last_autovacuum from pg_stat_user_tables where relid = 'keelback.ready'::regclass and n_dead_tup > $1", connection);
        command.Parameters.AddWithValue((long)configured.Value.WarnDeadRows);

        var found = new List<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            found.Add(("dead", $"keelback.ready holds {Show.Count(row.GetInt64(0))} dead rows, last cleaned up {(row.IsDBNull(1) ? "never" : Show.Full(row.GetFieldValue<DateTimeOffset>(1)))}. " +
                "Look for a long transaction, or for autovacuum being off or too slow."));
        return found;
    }

    private async Task NoteAsync(NpgsqlConnection connection, List<(string Key, string Text)> found, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.Of("delete from keelback.warning where app = $1 and (key <> all($2) or seen_at <= keelback.clock() - $3) returning text",
            Statement.P(catalog.App), Statement.P(found.Select(f => f.Key).ToArray()), Statement.P(Remembered)));
        batch.BatchCommands.Add(Statement.Of(
            """
            insert into keelback.warning (app, key, text, since, seen_at)
            select $1, key, text, keelback.clock(), keelback.clock() from unnest($2, $3) f (key, text)
            on conflict (app, key) do update set text = excluded.text, seen_at = excluded.seen_at
            returning text, xmax = 0
            """, Statement.P(catalog.App), Statement.P(found.Select(f => f.Key).ToArray()), Statement.P(found.Select(f => f.Text).ToArray())));

        await using var row = await batch.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) Log.WarningOver(log, row.GetString(0));
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct))
            if (row.GetBoolean(1)) Log.Warned(log, row.GetString(0));
    }

    private static string Minutes(TimeSpan time) => Show.Span(time);
}
