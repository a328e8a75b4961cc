using Npgsql;

namespace Keelback.Jobs;

/// <summary>Of outcomes that were told before, and whose answer was lost, the runs that have them: ended by that attempt in that way, or with it among the failed ones.</summary>
/// <remarks>A snooze leaves no such mark. Runs are partitioned: each is found by its key.</remarks>
internal static class WrittenStatement
{
    public const string Sql =
        """
        select o.id from unnest($1, $2, $3) o (id, attempt, state)
        where exists (select from keelback.run r where r.id = o.id and r.state = o.state and r.attempt = o.attempt)
        union all
        select o.id from unnest($4, $5, $6) o (id, attempt, outcome)
        where exists (select from keelback.attempt a where a.run_id = o.id and a.n = o.attempt and a.outcome = o.outcome)
        """;

    public static NpgsqlBatchCommand Of(IEnumerable<Outcome> outcomes)
    {
        var (ended, failed) = (new List<(Claim Claim, short State)>(), new List<Outcome.Failed>());
        foreach (var outcome in outcomes)
            if (outcome is Outcome.Failed f) failed.Add(f);
            else if (outcome is Outcome.Succeeded or Outcome.Skipped) ended.Add((outcome.Claim, outcome is Outcome.Skipped s ? ExitStatement.StateOf(s) : (short)1));

        return Statement.Of(Sql,
            Statement.P(ended.Select(o => o.Claim.RunId).ToArray()), Statement.P(ended.Select(o => (short)o.Claim.Attempt).ToArray()), Statement.P(ended.Select(o => o.State).ToArray()),
            Statement.P(failed.Select(o => o.Claim.RunId).ToArray()), Statement.P(failed.Select(o => (short)o.Claim.Attempt).ToArray()), Statement.P(failed.Select(o => (short)o.Kind).ToArray()));
    }
}
