using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Reads the graph that a run was enqueued in.</summary>
internal static class GraphReader
{
    /// <summary>More are told as "and more": a picture of them would say nothing.</summary>
    public const int MostNodes = 5000;

    /// <summary>Null: the run stands alone.</summary>
    public static async Task<RunGraph?> OfAsync(NpgsqlConnection connection, long root, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(
            $"""
            select r.id, r.kind, {RunStates.Sql}
            from (select * from keelback.run where root = $1 order by id limit $2) r
            {RunStates.Joins}
            order by r.id
            """, Statement.P(root), Statement.P(MostNodes + 1)));
        batch.BatchCommands.Add(Statement.Of(
            """
            select e.up, e.down from (select id from keelback.run where root = $1 order by id limit $2) r
            join keelback.edge e on e.up = r.id
            """, Statement.P(root), Statement.P(MostNodes)));

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        var nodes = new List<GraphNode>();
        while (await row.ReadAsync(ct)) nodes.Add(new(row.GetInt64(0), row.GetString(1), Enum.Parse<JobRunState>(row.GetString(2))));
        if (nodes.Count < 2) return null;

        await row.NextResultAsync(ct);
        var edges = new List<GraphEdge>();
        while (await row.ReadAsync(ct)) edges.Add(new(row.GetInt64(0), row.GetInt64(1)));

        var truncated = nodes.Count > MostNodes;
        var known = nodes.Take(MostNodes).Select(n => n.Id).ToHashSet();
        return new([.. nodes.Take(MostNodes)], [.. edges.Where(e => known.Contains(e.Up) && known.Contains(e.Down))], truncated);
    }
}
