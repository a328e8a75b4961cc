using Npgsql;

namespace Keelback.Jobs;

/// <summary>After a completion, in its transaction: sets when the result is forgotten. The timer does it; see <see cref="TimerStatement"/>.</summary>
internal static class ResultStatement
{
    private const string Sql =
        """
        insert into keelback.timer (at, run_id, what)
        select (select keelback.clock()) + f.kept, f.id, 3 from unnest($1, $2) f (id, kept)
        where exists (select from keelback.run where id = f.id and state = 1)
        on conflict do nothing
        """;

    /// <summary>Null when every one of these keeps its result as long as itself.</summary>
    public static NpgsqlBatchCommand? Of(IEnumerable<Outcome.Succeeded> done)
    {
        var kept = done.Where(o => !o.Result.IsEmpty && o.Claim.ResultKept > TimeSpan.Zero).Select(o => o.Claim).ToList();
        return kept.Count == 0 ? null : Statement.Of(Sql,
            Statement.P(kept.Select(c => c.RunId).ToArray()), Statement.P(kept.Select(c => c.ResultKept!.Value).ToArray()));
    }
}
