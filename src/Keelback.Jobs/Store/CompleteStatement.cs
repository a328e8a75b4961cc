using Npgsql;

namespace Keelback.Jobs;

/// <summary>Ends runs with their results. Answers the ids that it ended; one that is missing had lost its claim, or was cancelled.</summary>
/// <remarks>
/// Whether a result is kept is the row's to say, which is locked: another job may have come to take it since the claim. A run without any keeps its
/// nothing as long as itself, so that where <c>result_ms</c> is set and no output there, one was dropped.
/// </remarks>
internal static class CompleteStatement
{
    private const string Ended =
        """
        with f as (
            select * from unnest($1, $2, $3) t (id, token, output)
        ), d as (
            delete from keelback.claim c using f where c.run_id = f.id and c.token = f.token
            returning c.run_id, c.attempt, c.at, f.output
        ), u as (
            update keelback.run r
            set state = 1, output = case when r.followed or r.result_ms is distinct from 0 then d.output end,
                result_ms = case when d.output is not null then r.result_ms end, attempt = d.attempt, started_at = d.at, finished_at = (select keelback.clock())
            from d where r.id = d.run_id and r.state = 0
            returning r.id, r.followed, r.settles
        ), s as (
            select keelback.settle(array(select id from u where followed)) as below where exists (select from u where settles)
        )
        """;

    private const string Told = "select id from u union all select unnest(below) from s";

    public const string Plain = Ended + "\n" + Told;

    /// <summary>For runs that others wait for: flips their edges, counts down by the rows that flipped, and readies who waits for none any more.</summary>
    /// <remarks>Waiting rows are locked in the order of their ids, so that two completions cannot wait for each other. A run that ends
    /// twice flips nothing the second time. An edge that came while the run was running may be newer than this statement's snapshot:
    /// where there is one, <c>keelback.settle</c> follows them all, and no row is touched from both sides. Each waiting row is found by
    /// its key: joined to each other without a hash, ten thousand of both would be compared in pairs.</remarks>
    public const string Followed = Ended +
        $"""
        , e as (
            update keelback.edge set done = true from u where up = u.id and not done and not exists (select from u where settles) returning down
        ), n as (
            select down, count(*)::int as done from e group by down
        ), l as (
            select w.*, n.done from (select down, done from n order by down) n
            cross join lateral (select run_id, pending, queue, priority, tenant, due_at, attempt from keelback.wait where run_id = n.down for update) w
        ), w as (
            update keelback.wait set pending = l.pending - l.done
            from l where wait.run_id = l.run_id and l.pending > l.done
        ), q as (
            delete from keelback.wait using l
            where wait.run_id = l.run_id and l.pending = l.done
            returning l.run_id, l.queue, l.priority, l.tenant, l.due_at, l.attempt
        ), soon as (
            insert into keelback.ready (queue, priority, run_id, tenant, attempt)
            select case when tenant is null then queue else -queue end, priority, run_id, tenant, attempt from q where due_at is null or due_at <= (select keelback.clock())
        ), later as (
            insert into keelback.timer (at, run_id, what, attempt)
            select due_at, run_id, 0, attempt from q where due_at > (select keelback.clock())
        )
        {Told}
        """;

    /// <param name="done">In the order of their runs, in which everybody locks claims.</param>
    /// <param name="followed">Whether others wait for them.</param>
    public static NpgsqlBatchCommand Of(IReadOnlyList<Outcome.Succeeded> done, bool followed) => Statement.Of(
        followed ? Followed : Plain,
        Statement.P(done.Select(o => o.Claim.RunId).ToArray()),
        Statement.P(done.Select(o => o.Claim.Token).ToArray()),
        Statement.Jsonb([.. done.Select(o => o.Result.IsEmpty ? null : o.Result.ToArray())]));
}
