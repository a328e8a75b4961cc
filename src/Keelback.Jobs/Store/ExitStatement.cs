using Npgsql;

namespace Keelback.Jobs;

/// <summary>What an attempt ends by that neither succeeded nor failed: a snooze, which gives the attempt back, or nothing to do, which ends the run.</summary>
internal static class ExitStatement
{
    public const string Snooze =
        """
        with f as (
            select * from unnest($1, $2, $3) t (id, token, delay)
        ), d as (
            delete from keelback.claim c using f where c.run_id = f.id and c.token = f.token
            returning c.run_id, c.attempt, c.crashes, c.at, f.delay
        ), t as (
            insert into keelback.timer (at, run_id, what, attempt, crashes)
            select (select keelback.clock()) + delay, run_id, 0, attempt - 1, crashes from d
        ), u as (
            update keelback.run r set due_at = (select keelback.clock()) + d.delay, started_at = coalesce(r.started_at, d.at) from d where r.id = d.run_id
        )
        select run_id from d
        """;

    public const string Skip =
        """
        with f as (
            select * from unnest($1, $2, $3, $4) t (id, token, reason, state)
        ), d as (
            delete from keelback.claim c using f where c.run_id = f.id and c.token = f.token
            returning c.run_id, c.attempt, c.at, f.reason, f.state
        ), u as (
            update keelback.run r
            set state = d.state, error = d.reason, attempt = d.attempt, started_at = d.at, finished_at = (select keelback.clock())
            from d where r.id = d.run_id and r.state = 0
            returning r.id, r.followed
        ), b as (
            select keelback.settle(array(select id from u where followed)) as below where exists (select from u where followed)
        )
        select run_id from d
        union all
        select unnest(below) from b
        """;

    public static NpgsqlBatchCommand Of(IReadOnlyList<Outcome.Snoozed> snoozed) => Statement.Of(Snooze,
        Statement.P(snoozed.Select(o => o.Claim.RunId).ToArray()),
        Statement.P(snoozed.Select(o => o.Claim.Token).ToArray()),
        Statement.P(snoozed.Select(o => o.Delay).ToArray()));

    public static NpgsqlBatchCommand Of(IReadOnlyList<Outcome.Skipped> skipped) => Statement.Of(Skip,
        Statement.P(skipped.Select(o => o.Claim.RunId).ToArray()),
        Statement.P(skipped.Select(o => o.Claim.Token).ToArray()),
        Statement.Jsonb([.. skipped.Select(o => (byte[]?)o.Reason.ToJson())]),
        Statement.P(skipped.Select(StateOf).ToArray()));

    public static short StateOf(Outcome.Skipped skipped) => (short)(skipped.IsRevoked ? 3 : 7);
}
