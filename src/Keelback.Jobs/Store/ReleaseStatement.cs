using Keelback.Postgres;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Hands claims back: the attempt is given back with them. That the run was started stays: it does not expire any more.</summary>
internal static class ReleaseStatement
{
    private const string Back =
        """
        , r as (
            insert into keelback.ready (queue, priority, run_id, attempt, crashes, tenant)
            select case when r.tenant is null then r.queue else -r.queue end, r.priority, d.run_id, d.attempt - 1, d.crashes, r.tenant
            from d cross join lateral (select queue, priority, tenant from keelback.run where id = d.run_id and state = 0 limit 1) r
        )
        select run_id from d
        """;

    /// <summary>These claims.</summary>
    public const string Sql =
        """
        with d as (
            delete from keelback.claim c using unnest($1, $2) f (id, token) where c.run_id = f.id and c.token = f.token
            returning c.run_id, c.attempt, c.crashes, c.at
        ), s as (
            update keelback.run r set started_at = d.at from d where r.id = d.run_id and r.state = 0 and r.started_at is null
        )
        """ + Back;

    /// <summary>Whatever a worker holds but does not know of: the answer to its claim was lost on the way, and nothing was started.</summary>
    public const string Strangers =
        """
        with d as (
            delete from keelback.claim where worker_id = $1 and epoch = $2 and token <> all($3)
            returning run_id, attempt, crashes
        )
        """ + Back;

    public static NpgsqlBatchCommand Of(IReadOnlyList<Outcome> released) => Statement.Of(Sql,
        Statement.P(released.Select(o => o.Claim.RunId).ToArray()),
        Statement.P(released.Select(o => o.Claim.Token).ToArray()));

    public static NpgsqlBatchCommand OfStrangers(WorkerIdentity worker, long[] known) => Statement.Of(Strangers,
        Statement.P(worker.Id), Statement.P(worker.Epoch), Statement.P(known));
}
