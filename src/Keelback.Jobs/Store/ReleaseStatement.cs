using Keelback.Postgres;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Hands claims back as if they had not been made: the attempt is given back with them.</summary>
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
            returning c.run_id, c.attempt, c.crashes
        )
        """ + Back;

    /// <summary>Whatever a worker holds but does not know of: the answer to its claim was lost on the way.</summary>
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
