using Npgsql;

namespace Keelback.Jobs;

/// <summary>Records failed attempts, and sets the next one's time or ends the run, and then also whatever waits for it.</summary>
internal static class FailStatement
{
    public const string Sql =
        """
        with f as (
            select * from unnest($1, $2, $3, $4, $5) t (id, token, delay, outcome, error)
        ), d as (
            delete from keelback.claim c using f where c.run_id = f.id and c.token = f.token
            returning c.run_id, c.worker_id, c.attempt, c.crashes, c.at, f.delay, f.outcome, f.error
        ), h as (
            insert into keelback.attempt (run_id, n, worker_id, started_at, ended_at, outcome, error, retry_at)
            select run_id, attempt, worker_id, at, (select keelback.clock()), outcome, error, (select keelback.clock()) + delay from d
            on conflict do nothing
        ), t as (
            insert into keelback.timer (at, run_id, what, attempt, crashes)
            select (select keelback.clock()) + delay, run_id, 0, attempt, crashes from d where delay is not null
        ), u as (
            update keelback.run r
            set state = 2, error = d.error, attempt = d.attempt, started_at = d.at, finished_at = (select keelback.clock())
            from d where r.id = d.run_id and r.state = 0 and d.delay is null
            returning r.id, r.followed
        ), b as (
            select keelback.settle(array(select id from u where followed)) as below where exists (select from u where followed)
        )
        select run_id from d
        union all
        select unnest(below) from b
        """;

    public static NpgsqlBatchCommand Of(IReadOnlyList<Outcome.Failed> failed) => Statement.Of(Sql,
        Statement.P(failed.Select(o => o.Claim.RunId).ToArray()),
        Statement.P(failed.Select(o => o.Claim.Token).ToArray()),
        Statement.P(failed.Select(o => o.RetryAfter).ToArray()),
        Statement.P(failed.Select(o => (short)o.Kind).ToArray()),
        Statement.Jsonb([.. failed.Select(o => o.Error.ToJson())]));
}
