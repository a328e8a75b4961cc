using Npgsql;

namespace Keelback.Jobs;

/// <summary>Of the claims that a worker believes it holds, those that were taken away: cancelled, timed out, or swept.</summary>
internal static class LostStatement
{
    public const string Sql =
        """
        select f.token
        from unnest($1, $2) f (id, token)
        where not exists (select from keelback.claim c where c.run_id = f.id and c.token = f.token)
           or exists (select from keelback.run r where r.id = f.id and r.state <> 0)
        """;

    public static NpgsqlBatchCommand Of(IReadOnlyList<Claim> held) => Statement.Of(Sql,
        Statement.P(held.Select(c => c.RunId).ToArray()), Statement.P(held.Select(c => c.Token).ToArray()));
}
