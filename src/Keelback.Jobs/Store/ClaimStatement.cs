using Keelback.Postgres;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Moves ready runs into a worker's hands, an attempt spent, and reads their bodies.</summary>
/// <remarks>
/// SKIP LOCKED lets workers claim side by side. The rows are chosen in an array, because a planner that takes the queue for
/// empty may run a sub-select once per joined row, and its LIMIT would then lock more rows than asked. Lanes are read in the
/// order given; a lane's mark keeps the scan from walking over the dead rows below it. A worker without its row gets nothing.
/// A kind that this process does not know goes back in the same statement, its attempt unspent. A suspect beside another is not taken at all: it keeps
/// its place for a worker that has none.
/// What is revoked is taken to be ended: past its limits, so that it takes no slot and no start from others.
/// </remarks>
internal static class ClaimStatement
{
    /// <summary>The lanes of plain runs.</summary>
    public const string Sql =
        $"""
        with taken as (
            {Take}
                from unnest($1, $2, $3) lane (queue, priority, mark)
                cross join lateral (
                    select ctid, crashes from keelback.ready
                    where queue = lane.queue and priority = lane.priority and seq > lane.mark and ($13 or crashes < $12)
                    order by seq
                    limit $4
                    for update skip locked) r
                {OfOpenQueues}
                {OfSuspectsOne}
        {Rest}
        """;

    /// <summary>The same where some queue has slots, or tenants that take turns. A queue without a free slot is not looked at.</summary>
    public const string Shared =
        $"""
        with room as materialized (
            select queue, keelback.queue_room($8, queue) as n from unnest($9) queue
        ), taken as (
            {Take}
                from unnest($1, $2, $3, $14) lane (queue, priority, mark, tenant)
                cross join lateral (select least($4, coalesce((select n from room where queue = abs(lane.queue)), $4)) as n) free
                cross join lateral (
                    select ctid, crashes from (
                        select ctid, crashes from keelback.ready
                        where queue = lane.queue and priority = lane.priority and seq > lane.mark and lane.queue > 0 and ($13 or crashes < $12)
                        order by seq
                        limit free.n
                        for update skip locked) p
                    union all
                    select t.id, t.crashes
                    from keelback.by_turns(lane.queue, lane.priority, lane.mark, lane.tenant, free.n, case when $13 then 32767 else $12 - 1 end::smallint) t
                    where lane.queue < 0) r
                {OfOpenQueues}
                {OfSuspectsOne}
        {Rest}
        """;

    private const string Take =
        """
        delete from keelback.ready
            where ctid = any(array(
                select ctid from (select ctid, suspect, sum(suspect::int) over (rows unbounded preceding) as nth from (select r.ctid, r.crashes >= $12 as suspect
        """;

    // The lanes are those that the worker last read, and it may not have heard of a pause. An array, so that the lanes keep their order.
    private const string OfOpenQueues = "where abs(lane.queue) <> all(array(select id from keelback.queue where paused))";

    private const string OfSuspectsOne = "limit $4) found) counted where not suspect or nth = 1))";

    private const string Rest =
        """
              and exists (select from keelback.worker where id = $5 and epoch = $6 and lease_until > keelback.clock())
            returning queue, priority, seq, run_id, attempt, crashes, tenant
        ), body as (
            select t.*, r.kind, r.max_attempts, r.base_attempt, r.timeout_ms, r.followed, r.trace, r.input, r.ups, r.params,
                   r.result_ms, r.due_at, r.root, r.parent, r.known, r.revoked,
                   (r.special or abs(t.queue) = any($9)) and not r.revoked as special
            from taken t
            cross join lateral (
                select *, kind = any($7) as known,
                       kind = any($10) or cardinality($11) > 0 and exists (select from keelback.tag g where g.run_id = t.run_id and g.tag = any($11)) as revoked
                from keelback.run where id = t.run_id and state = 0 limit 1) r
        ), admitted as (
            select a.*
            from (select array_agg(queue order by priority, seq) as queues, array_agg(priority order by priority, seq) as priorities,
                         array_agg(seq order by priority, seq) as seqs, array_agg(run_id order by priority, seq) as ids,
                         array_agg(attempt order by priority, seq) as attempts, array_agg(crashes order by priority, seq) as crashes,
                         array_agg(tenant order by priority, seq) as tenants
                  from body where special and known having count(*) > 0) s
            cross join lateral keelback.admit($8, s.queues, s.priorities, s.seqs, s.ids, s.attempts, s.crashes, s.tenants) a
        ), held as (
            insert into keelback.claim (run_id, token, worker_id, epoch, attempt, crashes, at)
            select run_id, nextval('keelback.token_seq'), $5, $6, attempt + 1, crashes, (select keelback.clock()) from body where known and not special
            union all
            select run_id, token, $5, $6, attempt + 1, crashes, at from admitted
            returning run_id, token, attempt
        ), back as (
            insert into keelback.timer (at, run_id, what, attempt, crashes)
            select keelback.clock() + interval '5 s' + random() * interval '25 s', run_id, 0, attempt, crashes from body where not known
        ), deadline as (
            insert into keelback.timer (at, run_id, what, attempt)
            select (select keelback.clock()) + (timeout_ms::bigint + 5000) * interval '1 ms', run_id, 1, attempt + 1
            from body where timeout_ms is not null and known and not special
            union all
            select a.at + (b.timeout_ms::bigint + 5000) * interval '1 ms', a.run_id, 1, a.attempt + 1
            from admitted a join body b using (run_id) where b.timeout_ms is not null
        )
        select t.queue, t.priority, t.seq, b.run_id, h.token, h.attempt, b.crashes, b.kind, b.max_attempts, b.timeout_ms, b.followed, b.trace,
               case when h.token is not null then case when b.ups is null then b.input else keelback.bound_input(b.input, b.ups, b.params) end end,
               b.result_ms, b.due_at, b.root, b.parent,
               b.known, b.special, t.tenant, b.revoked, b.base_attempt
        from taken t left join body b using (run_id) left join held h using (run_id)
        order by t.seq
        """;

    public static NpgsqlBatchCommand Of(ClaimRequest request)
    {
        var command = Statement.Of(request.IsShared ? Shared : Sql,
            Statement.P(request.Queues), Statement.P(request.Priorities), Statement.P(request.Marks), Statement.P(request.Limit),
            Statement.P(request.Worker.Id), Statement.P(request.Worker.Epoch), Statement.P(request.Kinds),
            Statement.P(request.App), Statement.P(request.Slotted), Statement.P(request.RevokedKinds), Statement.P(request.RevokedTags),
            Statement.P(Claim.SuspectFrom), Statement.P(request.TakesSuspect));
        if (request.IsShared) command.Parameters.Add(Statement.P(request.Tenants));
        return command;
    }

    public static async Task ReadAsync(NpgsqlDataReader row, ClaimResult result, CancellationToken ct)
    {
        while (await row.ReadAsync(ct))
        {
            result.Seen.Add(new(row.GetInt16(0), row.GetInt16(1), row.GetInt64(2), row.IsDBNull(19) ? null : row.GetString(19)));
            if (row.IsDBNull(3)) continue; // ended while it was ready: a cancelled run leaves its row here

            if (row.IsDBNull(4))
            {
                if (!row.GetBoolean(17)) result.UnknownKinds.Add(row.GetString(7));
                continue; // or not admitted: it waits for a limit now, or has expired
            }

            result.Claims.Add(new(row.GetInt64(3), row.GetInt64(4), row.GetInt16(5), row.GetInt16(6), row.GetString(7), row.IsDBNull(12) ? [] : row.GetFieldValue<byte[]>(12))
            {
                MaxAttempts = row.GetInt16(8),
                BaseAttempt = row.GetInt16(21),
                Timeout = row.IsDBNull(9) ? null : TimeSpan.FromMilliseconds(row.GetInt32(9)),
                Followed = row.GetBoolean(10),
                Trace = row.IsDBNull(11) ? null : row.GetString(11),
                Queue = row.GetInt16(0),
                ResultKept = row.IsDBNull(13) || row.GetBoolean(10) ? null : TimeSpan.FromMilliseconds(row.GetInt64(13)),
                DueAt = row.IsDBNull(14) ? null : row.GetFieldValue<DateTimeOffset>(14),
                RootId = row.IsDBNull(15) ? null : row.GetInt64(15),
                ParentId = row.IsDBNull(16) ? null : row.GetInt64(16),
                Limited = row.GetBoolean(18),
                IsRevoked = row.GetBoolean(20),
            });
        }
    }
}

/// <summary>What a worker wants. The arrays are the lanes, in the order in which they are read; a negative queue is one whose tenants take turns.</summary>
internal sealed record ClaimRequest(short[] Queues, short[] Priorities, long[] Marks, int Limit, WorkerIdentity Worker, string App, string[] Kinds)
{
    /// <summary>The queues that have slots, in the order of their numbers, which is the order of their locks.</summary>
    public short[] Slotted { get; init; } = [];

    /// <summary>Per lane the tenant that was served last.</summary>
    public string?[] Tenants { get; init; } = [];

    public bool IsShared { get; init; }

    /// <summary>Kinds whose runs are taken only to be ended; so are those with one of the tags.</summary>
    public string[] RevokedKinds { get; init; } = [];

    public string[] RevokedTags { get; init; } = [];

    /// <summary>Whether a suspect may be among them; never two.</summary>
    public bool TakesSuspect { get; init; } = true;
}

/// <summary>What a claim found.</summary>
internal sealed class ClaimResult
{
    public List<Claim> Claims { get; } = [];

    public List<string> UnknownKinds { get; } = [];

    /// <summary>Every row that was taken.</summary>
    public List<SeenRow> Seen { get; } = [];
}

/// <summary>A row of ready that a claim took, whatever became of it.</summary>
internal readonly record struct SeenRow(short Queue, short Priority, long Seq, string? Tenant);
