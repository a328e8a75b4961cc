using Npgsql;

namespace Keelback.Jobs;

/// <summary>Reads graphs and tags for people; nothing here is on the hot path.</summary>
internal static class GraphReader
{
    private const string Columns = "r.id, r.kind, r.queue, r.state, r.attempt, r.due_at, r.started_at, r.finished_at, r.parent, r.replaced_by, r.ups";

    // A graph has up to ten thousand runs: what is known of the open ones alone is not looked for with the others.
    private const string Told =
        """
        select r.root, r.id, r.kind, r.queue,
               case when r.state <> 0 then keelback.state_name(r.state)
                    when exists (select from keelback.claim c where c.run_id = r.id) then 'Running'
                    when exists (select from keelback.wait w where w.run_id = r.id) then 'Blocked'
                    when exists (select from keelback.parked p where p.run_id = r.id) then 'Limited'
                    when greatest((select a.retry_at from keelback.attempt a where a.run_id = r.id order by a.n desc limit 1), r.due_at) > (select keelback.clock()) then 'Scheduled'
                    else 'Ready' end,
               case when r.state <> 0 and r.attempt is not null then r.attempt
                    else coalesce((select c.attempt from keelback.claim c where c.run_id = r.id), r.attempt,
                                  (select a.n from keelback.attempt a where a.run_id = r.id order by a.n desc limit 1), 0) end::int,
               case when r.state <> 0 then r.started_at else coalesce((select c.at from keelback.claim c where c.run_id = r.id), r.started_at) end,
               r.finished_at, r.parent, r.replaced_by, r.ups
        from node r
        order by r.id
        """;

    private const string Members =
        $"""
        with root as materialized (
            select coalesce(r.root, r.id) as id from keelback.run r join keelback.queue q on q.id = r.queue and q.app = $2 where r.id = $1
        ), node as (
            select r.root, {Columns} from keelback.run r where r.root = (select id from root)
            union all
            select r.id, {Columns} from keelback.run r where r.id = (select id from root) and r.root is distinct from r.id
        )
        {Told}
        """;

    private const string Others = $"with node as (select null::bigint as root, {Columns} from unnest($1) o (id) join keelback.run r on r.id = o.id) {Told}";

    private const string Edges =
        """
        select up, down, rule, done from keelback.edge
        where up = any($1) and up between $2 and $3 -- the bounds alone tell partitions apart
        order by 1, 2
        """;

    public static async Task<JobGraph?> FindAsync(NpgsqlConnection connection, long run, string app, CancellationToken ct)
    {
        var members = await NodesAsync(connection, Statement.Of(Members, Statement.P(run), Statement.P(app)), isMember: true, ct);
        if (members.Count == 0) return null;

        var edges = await EdgesAsync(connection, [.. members.Select(m => m.Node.Id)], ct);
        var known = members.Select(m => m.Node.Id).ToHashSet();
        long[] strangers = [.. edges.Select(e => e.Down).Concat(members.SelectMany(m => m.Ups)).Distinct().Where(id => !known.Contains(id))];
        var others = strangers.Length == 0 ? [] : await NodesAsync(connection, Statement.Of(Others, Statement.P(strangers)), isMember: false, ct);
        if (others.Count > 0)
        {
            edges.AddRange(await EdgesAsync(connection, [.. others.Select(o => o.Node.Id)], ct));
            edges.Sort((a, b) => (a.Up, a.Down).CompareTo((b.Up, b.Down)));
            known.UnionWith(others.Select(o => o.Node.Id));
        }

        edges.RemoveAll(e => !known.Contains(e.Down)); // of runs of other graphs they lead further
        return new(members[0].Root!.Value, [.. members.Concat(others).Select(n => n.Node)], edges);
    }

    private static async Task<List<(long? Root, JobGraphNode Node, long[] Ups)>> NodesAsync(NpgsqlConnection connection, NpgsqlBatchCommand statement, bool isMember, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Statement.ByKey(), new("select id, name from keelback.queue"), statement } };

        var (queues, nodes) = (new Dictionary<short, string>(), new List<(long? Root, JobGraphNode Node, long[] Ups)>());
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct)) queues[row.GetInt16(0)] = row.GetString(1);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var node = new JobGraphNode(row.GetInt64(1), row.GetString(2), queues[row.GetInt16(3)], Enum.Parse<JobRunState>(row.GetString(4)), row.GetInt32(5),
                JobRun.EnqueuedAtOf(row.GetInt64(1)), Time(row, 6), Time(row, 7), Id(row, 8), Id(row, 9), isMember);
            nodes.Add((Id(row, 0), node, row.IsDBNull(10) ? [] : row.GetFieldValue<long[]>(10)));
        }

        return nodes;
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
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Statement.ByKey(), Statement.Of(Edges, Statement.P(nodes), Statement.P(nodes.Min()), Statement.P(nodes.Max())) } };

        var edges = new List<JobGraphEdge>();
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct)) edges.Add(new(row.GetInt64(0), row.GetInt64(1), (JobEdgeRule)row.GetInt16(2), row.GetBoolean(3)));

        return edges;
    }

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    private static long? Id(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
