using Keelback.Jobs;
using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Looks at each queue every 2 s, on one node at a time, so that no page has to.</summary>
/// <remarks>Counts no further than 1,001 ready rows, and gives up after a second: rows that a held snapshot keeps can make even that slow.</remarks>
internal sealed class QueueLooker(NpgsqlDataSource db, QueueCatalog catalog, TimeProvider clock, ILogger<QueueLooker> log) : PollingService(clock, log)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(2);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        try
        {
            await LookAsync(stopping);
            return s_interval;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            return s_interval * 5; // the pages show how old the last look is, and a warning says why
        }
    }

    internal async Task<bool> LookAsync(CancellationToken ct)
    {
        short[] own = [.. (await catalog.AllAsync(ct)).Select(q => q.Id)];
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!await Turn.TakeAsync(connection, $"look:{catalog.App}", s_interval * 0.9, ct)) return false;

        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("select set_config('statement_timeout', '1s', true), set_config('synchronous_commit', 'off', true)"));
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(
            """
            insert into keelback.queue_look (queue, ready, oldest_at, running, at)
            select q.id, ready.n, head.at, coalesce(run.n, 0), keelback.clock()
            from unnest($1) q (id)
            cross join lateral (
                select count(*)::int as n from (
                    select from unnest(array[q.id, -q.id]) lane (id)
                    cross join lateral (select from keelback.ready where queue = lane.id limit 1001) r limit 1001) few) ready
            cross join lateral (
                select min(coalesce(a.retry_at, greatest(r.due_at, keelback.run_enqueued_at(r.id)))) as at
                from unnest(array[q.id, -q.id]) lane (id)
                cross join generate_series(0, 9) level (priority)
                cross join lateral (
                    select run_id from keelback.ready where queue = lane.id and priority = level.priority order by seq limit 1) first
                cross join lateral (select id, due_at from keelback.run where id = first.run_id and state = 0 limit 1) r
                left join lateral (select retry_at from keelback.attempt where run_id = r.id order by n desc limit 1) a on true) head
            left join (
                select r.queue, count(*)::int as n
                from keelback.claim c cross join lateral (select queue from keelback.run where id = c.run_id limit 1) r
                group by 1) run on run.queue = q.id
            on conflict (queue) do update set ready = excluded.ready, oldest_at = excluded.oldest_at, running = excluded.running, at = excluded.at
            """, Statement.P(own)));
        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }
}

/// <summary>What one node at a time does, every so often.</summary>
internal static class Turn
{
    /// <summary>Inside a transaction: whether it is this node's turn. The next one comes after <paramref name="interval"/>.</summary>
    public static async Task<bool> TakeAsync(NpgsqlConnection connection, string name, TimeSpan interval, CancellationToken ct)
    {
        // A turn further off than an interval is from a clock that has gone back. Compared with the clock after the row's lock
        // is held, not with excluded.next_at: whoever waited for the lock made his earlier than the one that he finds.
        await using var command = new NpgsqlCommand(
            """
            insert into keelback.turn as t (name, next_at) values ($1, keelback.clock() + $2)
            on conflict (name) do update set next_at = excluded.next_at where t.next_at <= keelback.clock() or t.next_at > keelback.clock() + $2
            returning true
            """, connection);
        command.Parameters.AddWithValue(name);
        command.Parameters.AddWithValue(interval);
        return await command.ExecuteScalarAsync(ct) is true;
    }
}
