using Npgsql;

namespace Keelback.Jobs;

/// <summary>Reads graphs and tags for people; nothing here is on the hot path.</summary>
internal static class GraphReader
{
    private const string Nodes =
        """
        with root as (
            select coalesce(r.root, r.id) as id from keelback.run r join keelback.queue q on q.id = r.queue and q.app = $2 where r.id = $1
        ), member as (
            select r.id, r.ups from keelback.run r, root where r.root = root.id
            union
            select r.id, r.ups from keelback.run r, root where r.id = root.id
        ), node as (
            select id from member
            union
            select e.down from keelback.edge e where e.up in (select id from member)
            union
            select unnest(ups) from member
        )
        select root.id, r.id, r.kind, q.name,
               case when r.state <> 0 then keelback.state_name(r.state)
                    when c.run_id is not null then 'Running'
                    when exists (select from keelback.wait w where w.run_id = r.id) then 'Blocked'
                    when greatest(a.retry_at, r.due_at) > keelback.clock() then 'Scheduled'
                    else 'Ready' end,
               coalesce(c.attempt, r.attempt, a.n, 0)::int,
               keelback.run_enqueued_at(r.id), coalesce(c.at, r.started_at), r.finished_at, r.parent, r.replaced_by, r.id in (select id from member)
        from root cross join node
        join keelback.run r on r.id = node.id
        join keelback.queue q on q.id = r.queue
        left join keelback.claim c on c.run_id = r.id
        left join lateral (select n, retry_at from keelback.attempt where run_id = r.id order by n desc limit 1) a on true
        order by 12 desc, 2
        """;

    private const string Edges =
        """
        select e.up, e.down, e.rule, e.done from unnest($1) m (id) cross join lateral (select * from keelback.edge where up = m.id) e
        order by 1, 2
        """;

    public static async Task<JobGraph?> FindAsync(NpgsqlConnection connection, long run, string app, CancellationToken ct)
    {
        long? root = null;
        var nodes = new List<JobGraphNode>();
        await using (var batch = new NpgsqlBatch(connection) { BatchCommands = { Statement.ByKey(), Statement.Of(Nodes, Statement.P(run), Statement.P(app)) } })
        {
            await using var row = await batch.ExecuteReaderAsync(ct);
            await row.NextResultAsync(ct);
            while (await row.ReadAsync(ct))
            {
                root = row.GetInt64(0);
                nodes.Add(new(row.GetInt64(1), row.GetString(2), row.GetString(3), Enum.Parse<JobRunState>(row.GetString(4)), row.GetInt32(5),
                    row.GetFieldValue<DateTimeOffset>(6), Time(row, 7), Time(row, 8), Id(row, 9), Id(row, 10), row.GetBoolean(11)));
            }
        }

        return root is { } found ? new(found, nodes, await EdgesAsync(connection, [.. nodes.Select(node => node.Id)], ct)) : null;
    }

    /// <summary>The app's runs with a tag, the newest first.</summary>
    public static async Task<List<long>> TaggedAsync(NpgsqlConnection connection, string tag, string app, long before, int limit, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select t.run_id from keelback.tag t
            where t.tag = $1 and t.run_id < $3
              and exists (select from keelback.run r join keelback.queue q on q.id = r.queue where r.id = t.run_id and q.app = $2)
            order by t.run_id desc limit $4
            """, connection);
        command.Parameters.AddWithValue(tag);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(before);
        command.Parameters.AddWithValue(limit);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await Statement.IdsAsync(row, ct);
    }

    public static async Task<IReadOnlyList<string>> TagsAsync(NpgsqlConnection connection, long run, string app, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select t.tag from keelback.tag t
            where t.run_id = $1 and exists (select from keelback.run r join keelback.queue q on q.id = r.queue where r.id = $1 and q.app = $2)
            order by 1
            """, connection);
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(app);

        var tags = new List<string>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) tags.Add(row.GetString(0));
        return tags;
    }

    private static async Task<List<JobGraphEdge>> EdgesAsync(NpgsqlConnection connection, long[] nodes, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Statement.ByKey(), Statement.Of(Edges, Statement.P(nodes)) } };

        var edges = new List<JobGraphEdge>();
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        var known = nodes.ToHashSet(); // of runs of other graphs, edges lead further
        while (await row.ReadAsync(ct))
            if (known.Contains(row.GetInt64(1))) edges.Add(new(row.GetInt64(0), row.GetInt64(1), (JobEdgeRule)row.GetInt16(2), row.GetBoolean(3)));

        return edges;
    }

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    private static long? Id(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
