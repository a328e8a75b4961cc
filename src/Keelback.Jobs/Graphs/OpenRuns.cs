using Npgsql;

namespace Keelback.Jobs;

/// <summary>Pages of open runs that have something in common, for ending them together.</summary>
internal static class OpenRuns
{
    /// <summary>Of the graph that a run belongs to.</summary>
    public const string OfGraph =
        """
        select r.id from keelback.run r where r.state = 0 and (r.id = $1 or r.root = (select coalesce(x.root, x.id) from keelback.run x where x.id = $1))
          and r.queue in (select id from keelback.queue where app = $2)
        order by r.id limit 1000
        """;

    public const string Tagged =
        """
        select t.run_id from keelback.tag t
        cross join lateral (select queue from keelback.run where id = t.run_id and state = 0 limit 1) r
        where t.tag = $1 and r.queue in (select id from keelback.queue where app = $2)
        order by 1 limit 1000
        """;

    /// <summary>Of a kind. Looked for where open runs stand, because the runs themselves are mostly ended ones.</summary>
    public const string OfKind =
        """
        select r.id from (
            select run_id from keelback.claim union select run_id from keelback.wait union select run_id from keelback.timer
            union select run_id from keelback.ready union select run_id from keelback.parked) o
        cross join lateral (select id, kind, queue from keelback.run where id = o.run_id and state = 0 limit 1) r
        where r.kind = $1 and r.queue in (select id from keelback.queue where app = $2)
        order by 1 limit 1000
        """;

    public static async Task<long[]> PageAsync<T>(NpgsqlConnection connection, string sql, T value, string app, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(Statement.P(value));
        command.Parameters.AddWithValue(app);
        await using var row = await command.ExecuteReaderAsync(ct);
        return [.. await Statement.IdsAsync(row, ct)];
    }
}
