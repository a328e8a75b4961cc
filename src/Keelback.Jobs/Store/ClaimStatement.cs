using Keelback.Postgres;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Moves ready runs into a worker's hands, an attempt spent, and reads their bodies.</summary>
/// <remarks>
/// SKIP LOCKED lets workers claim side by side. The rows are chosen in an array, because a planner that takes the queue for
/// empty may run a sub-select once per joined row, and its LIMIT would then lock more rows than asked. Lanes are read in the
/// order given; a lane's mark keeps the scan from walking over the dead rows below it. A worker without its row gets nothing.
/// A kind that this process does not know goes back in the same statement, its attempt unspent.
/// </remarks>
internal static class ClaimStatement
{
    public const string Sql =
        """
        with taken as (
            delete from keelback.ready
            where ctid = any(array(
                    select r.ctid
                    from unnest($1, $2, $3) lane (queue, priority, mark)
                    cross join lateral (
                        select ctid from keelback.ready
                        where queue = lane.queue and priority = lane.priority and seq > lane.mark
                        order by seq
                        limit $4
                        for update skip locked) r
                    limit $4))
              and exists (select from keelback.worker where id = $5 and epoch = $6 and lease_until > keelback.clock())
            returning queue, priority, seq, run_id, attempt, crashes
        ), body as (
            select t.*, r.kind, r.max_attempts, r.timeout_ms, r.followed, r.trace, r.input, r.ups, r.params,
                   r.version, r.result_ms, r.due_at, r.root, r.parent
            from taken t
            cross join lateral (select * from keelback.run where id = t.run_id and state = 0 limit 1) r
        ), held as (
            insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at)
            select run_id, $5, $6, attempt + 1, crashes, (select keelback.clock()) from body where kind = any($7)
            returning run_id, token, attempt
        ), unknown as (
            insert into keelback.timer (at, run_id, what, attempt, crashes)
            select keelback.clock() + interval '5 s' + random() * interval '25 s', run_id, 0, attempt, crashes
            from body where kind <> all($7)
        ), deadline as (
            insert into keelback.timer (at, run_id, what, attempt)
            select keelback.clock() + (timeout_ms::bigint + 5000) * interval '1 ms', run_id, 1, attempt + 1
            from body where timeout_ms is not null and kind = any($7)
        )
        select t.queue, t.priority, t.seq, b.run_id, h.token, h.attempt, b.crashes, b.kind, b.max_attempts, b.timeout_ms, b.followed, b.trace,
               case when b.ups is null then b.input else keelback.bound_input(b.input, b.ups, b.params) end,
               b.version, b.result_ms, b.due_at, b.root, b.parent
        from taken t left join body b using (run_id) left join held h using (run_id)
        order by t.seq
        """;

    public static NpgsqlBatchCommand Of(ClaimRequest request) => Statement.Of(Sql,
        Statement.P(request.Queues), Statement.P(request.Priorities), Statement.P(request.Marks), Statement.P(request.Limit),
        Statement.P(request.Worker.Id), Statement.P(request.Worker.Epoch), Statement.P(request.Kinds));

    public static async Task ReadAsync(NpgsqlDataReader row, ClaimResult result, CancellationToken ct)
    {
        while (await row.ReadAsync(ct))
        {
            result.Seen.Add((row.GetInt16(0), row.GetInt16(1), row.GetInt64(2)));
            if (row.IsDBNull(3)) continue; // ended while it was ready: a cancelled run leaves its row here

            if (row.IsDBNull(4))
            {
                result.UnknownKinds.Add(row.GetString(7));
                continue;
            }

            result.Claims.Add(new(row.GetInt64(3), row.GetInt64(4), row.GetInt16(5), row.GetInt16(6), row.GetString(7), row.IsDBNull(12) ? [] : row.GetFieldValue<byte[]>(12))
            {
                MaxAttempts = row.GetInt16(8),
                Timeout = row.IsDBNull(9) ? null : TimeSpan.FromMilliseconds(row.GetInt32(9)),
                Followed = row.GetBoolean(10),
                Trace = row.IsDBNull(11) ? null : row.GetString(11),
                Queue = row.GetInt16(0),
                Version = row.GetInt16(13),
                ResultKept = row.IsDBNull(14) || row.GetBoolean(10) ? null : TimeSpan.FromMilliseconds(row.GetInt64(14)),
                DueAt = row.IsDBNull(15) ? null : row.GetFieldValue<DateTimeOffset>(15),
                RootId = row.IsDBNull(16) ? null : row.GetInt64(16),
                ParentId = row.IsDBNull(17) ? null : row.GetInt64(17),
            });
        }
    }
}

/// <summary>What a worker wants. The three arrays are the lanes, in the order in which they are read.</summary>
internal sealed record ClaimRequest(short[] Queues, short[] Priorities, long[] Marks, int Limit, WorkerIdentity Worker, string[] Kinds);

/// <summary>What a claim found.</summary>
internal sealed class ClaimResult
{
    public List<Claim> Claims { get; } = [];

    public List<string> UnknownKinds { get; } = [];

    /// <summary>The queue, priority and number of every row that was taken.</summary>
    public List<(short Queue, short Priority, long Seq)> Seen { get; } = [];
}
