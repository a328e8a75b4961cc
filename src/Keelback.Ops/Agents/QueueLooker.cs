using Keelback.Jobs;
using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Looks at each queue every 2 s, on one node at a time, so that no page has to.</summary>
/// <remarks>
/// Counts no further than 1,001 ready rows, and gives up after a second: rows that a held snapshot keeps can make even that slow.
/// A cancelled run leaves its row here, since none of ready's indexes is by run.
/// </remarks>
internal sealed class QueueLooker(NpgsqlDataSource db, QueueCatalog catalog, TimeProvider clock, ILogger<QueueLooker> log) : PollingService(clock, log)
{
    private const int FewRows = 100;
    private const int ManyRows = 1_000;
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
        if (!await Turn.TakeAsync(connection, $"look:{catalog.App}", s_interval * 0.9, ct)) return false;

        for (var limit = FewRows; await DropEndedAsync(connection, own, limit, ct) >= limit; limit = ManyRows)
        {
        }

        await RunAsync(connection, Look(own), ct);
        return true;
    }

    /// <summary>Deletes rows of ended runs among the first of each queue: a claim would, but not while the queue is paused or nobody serves it.</summary>
    /// <remarks>Locks none that is alive, or a claim would pass it over.</remarks>
    private static Task<int> DropEndedAsync(NpgsqlConnection connection, short[] own, int limit, CancellationToken ct) => RunAsync(connection, Statement.Of(
        """
        delete from keelback.ready where ctid = any(array(
            select ctid from keelback.ready
            where ctid = any(array(
                select first.ctid
                from unnest($1) q (id)
                cross join lateral unnest(array[q.id, -q.id]) lane (id)
                cross join lateral (select ctid, run_id from keelback.ready where queue = lane.id order by priority, seq limit $2) first
                where not exists (select from keelback.run where id = first.run_id and state = 0)))
            for update skip locked))
        """, Statement.P(own), Statement.P(limit)), ct);

    private static NpgsqlBatchCommand Look(short[] own) => Statement.Of(
        $"""
        insert into keelback.queue_look (queue, ready, oldest_at, running, at)
        select q.id, ready.n, head.at, coalesce(run.n, 0), keelback.clock()
        from unnest($1) q (id)
        cross join lateral (
            select count(*)::int as n from (
                select from unnest(array[q.id, -q.id]) lane (id)
                cross join lateral (select from keelback.ready where queue = lane.id limit 1001) r limit 1001) few) ready
        cross join lateral (
            select min(coalesce(a.retry_at, greatest(first.due_at, keelback.run_enqueued_at(first.id)))) as at
            from unnest(array[q.id, -q.id]) lane (id)
            cross join generate_series(0, 9) level (priority)
            cross join lateral (
                select r.id, r.due_at
                from (select seq, run_id from keelback.ready where queue = lane.id and priority = level.priority order by seq limit {FewRows}) few
                cross join lateral (select id, due_at from keelback.run where id = few.run_id and state = 0 limit 1) r
                order by few.seq limit 1) first
            left join lateral (select retry_at from keelback.attempt where run_id = first.id order by n desc limit 1) a on true) head
        left join (
            select r.queue, count(*)::int as n
            from keelback.claim c
            join keelback.worker w on w.id = c.worker_id and w.epoch = c.epoch and w.lease_until > (select keelback.clock())
            cross join lateral (select queue from keelback.run where id = c.run_id limit 1) r
            group by 1) run on run.queue = q.id
        on conflict (queue) do update set ready = excluded.ready, oldest_at = excluded.oldest_at, running = excluded.running, at = excluded.at
        """, Statement.P(own));

    private static async Task<int> RunAsync(NpgsqlConnection connection, NpgsqlBatchCommand command, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("select set_config('statement_timeout', '1s', true), set_config('synchronous_commit', 'off', true)"));
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return (int)command.RecordsAffected;
    }
}

/// <summary>What one node at a time does, every so often.</summary>
internal static class Turn
{
    /// <summary>Whether it is this node's turn; where it is inside a transaction that is rolled back, it was nobody's. The next one comes after <paramref name="interval"/>.</summary>
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
