using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;

namespace Keelback.Jobs;

/// <summary>The statements that write runs.</summary>
internal static class EnqueueStatements
{
    private const string FlatRows =
        """
        with call as materialized (
            select (select keelback.first_run_id(keelback.clock())) | (nextval('keelback.run_seq') & 4194303) as id, c.*,
                   coalesce(at, case when delay is not null then (select keelback.clock()) + delay end) as due_at
            from unnest($1, $2, $3, $4, $5, $6, $7, $8) with ordinality
                c (kind, queue, priority, max_attempts, timeout_ms, input, at, delay, ord)
        ), body as (
            insert into keelback.run (id, kind, queue, priority, max_attempts, timeout_ms, input, due_at, trace, parent)
            select id, kind, queue, priority, max_attempts, timeout_ms, input, due_at, $9, $10 from call
        ), soon as (
            insert into keelback.ready (queue, priority, run_id)
            select queue, priority, id from call where due_at is null order by ord
        ), later as (
            insert into keelback.timer (at, run_id, what) select due_at, id, 0 from call where due_at is not null
        )
        """;

    // The tags of the attempt's run are those of what it enqueues.
    private static string TagRows(string tags, string places) =>
        $"""
        insert into keelback.tag (tag, run_id)
        select t.tag, call.id from unnest({tags}, {places}) t (tag, ord) join call on call.ord = t.ord
        union
        select p.tag, call.id from keelback.tag p cross join call where p.run_id = $10
        """;

    /// <summary>Independent runs, in one statement; answers their ids in the order of the arrays.</summary>
    public const string FlatSql = FlatRows + "\nselect id from call order by ord";

    private static readonly string s_taggedSql = $"{FlatRows}, tagged as ({TagRows("$11", "$12")}) select id from call order by ord";

    /// <inheritdoc cref="FlatSql"/>
    /// <param name="runs">What to write.</param>
    /// <param name="queues">The queues' numbers.</param>
    /// <param name="parent">The run whose attempt enqueues them; null: none does.</param>
    public static NpgsqlCommand Flat(IReadOnlyList<PlannedRun> runs, QueueCatalog queues, long? parent)
    {
        var isTagged = parent is not null || runs.Any(run => run.Tags.Count > 0);
        var command = new NpgsqlCommand(isTagged ? s_taggedSql : FlatSql);
        AddColumns(command, runs, queues);
        AddOrigin(command, parent);
        if (isTagged) AddTags(command, runs);
        return command;
    }

    /// <summary>Ids for the runs of a graph, whose rows name each other.</summary>
    public static NpgsqlCommand Reserve(int count)
    {
        var command = new NpgsqlCommand(
            """
            select (select keelback.first_run_id(keelback.clock())) | (nextval('keelback.run_seq') & 4194303)
            from generate_series(1, $1)
            """);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = count });
        return command;
    }

    /// <summary>A run that an earlier try may have written.</summary>
    public static NpgsqlCommand Find(long runId)
    {
        var command = new NpgsqlCommand("select id from keelback.run where id = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = runId });
        return command;
    }

    /// <summary>Takes an id of the caller's for a run; answers the run that has it, which may be an older one.</summary>
    /// <remarks>The update that changes nothing makes the statement wait for, and see, a transaction that is just taking the same id.</remarks>
    public static NpgsqlCommand Take(string app, Guid id, long runId)
    {
        var command = new NpgsqlCommand(
            """
            insert into keelback.uniq (app, id, run_id) values ($1, $2, $3)
            on conflict (app, id) do update set id = excluded.id
            returning run_id
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = app });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = runId });
        return command;
    }

    /// <summary>Gives an id back that was taken for a run which is not written: it stands for a run.</summary>
    public static NpgsqlCommand GiveBack(string app, Guid id)
    {
        var command = new NpgsqlCommand("delete from keelback.uniq where app = $1 and id = $2");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = app });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return command;
    }

    /// <summary>What a run is of. A statement of its own: its snapshot sees what the transaction that <see cref="Take"/> waited for has written.</summary>
    public static NpgsqlCommand KindOf(long runId)
    {
        var command = new NpgsqlCommand("select kind from keelback.run where id = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = runId });
        return command;
    }

    /// <summary>Takes a unique key for a run; answers the run that has it, and where that replaces another, also the run that had it when the statement began.</summary>
    public static NpgsqlCommand TakeKey(string app, PlannedRun run)
    {
        var command = new NpgsqlCommand("select keelback.take_unique($1, $2, $3, $4, $5, $6)" +
            (run.Unique!.OnConflict == UniqueConflict.Replace ? " union all select run_id from keelback.unique_key where app = $1 and key = $2" : ""));
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(run.UniqueKey!);
        command.Parameters.AddWithValue(run.Id);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan?> { TypedValue = run.Unique.Window, NpgsqlDbType = NpgsqlDbType.Interval });
        command.Parameters.AddWithValue(run.Unique.Until == UniqueUntil.Started);
        command.Parameters.AddWithValue((short)run.Unique.OnConflict);
        return command;
    }

    /// <summary>Gives a root the unique key of the run in whose place it is put, or of one that ends as that does: there it is the same work going on.</summary>
    public static NpgsqlCommand HandOver(string app, PlannedRun run, long replaced)
    {
        var command = new NpgsqlCommand(
            """
            with recursive above (id) as (
                select $6
                union
                select e.down from above a cross join lateral (select down from keelback.edge where up = a.id and rule = 3) e
            ), held as materialized (
                select u.run_id from keelback.unique_key u where u.app = $1 and u.key = $2
            ), holder as materialized (
                select a.id from above a where a.id = (select run_id from held) limit 1
            ), old as (
                update keelback.run r set unique_key = null from holder where r.id = holder.id
            )
            update keelback.unique_key u set run_id = $3, until = greatest(u.until, keelback.clock() + $4), until_started = $5
            from holder where u.app = $1 and u.key = $2
            returning u.run_id
            """);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(run.UniqueKey!);
        command.Parameters.AddWithValue(run.Id);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan?> { TypedValue = run.Unique!.Window, NpgsqlDbType = NpgsqlDbType.Interval });
        command.Parameters.AddWithValue(run.Unique.Until == UniqueUntil.Started);
        command.Parameters.AddWithValue(replaced);
        return command;
    }

    /// <summary>A whole graph whose ids are reserved.</summary>
    /// <inheritdoc cref="Flat"/>
    public static NpgsqlCommand Graph(IReadOnlyList<PlannedRun> runs, QueueCatalog queues, long? parent, long? root = null)
    {
        var command = new NpgsqlCommand(
            $"""
            with call as materialized (
                select c.*, coalesce(at, case when delay is not null then (select keelback.clock()) + delay end) as due_at,
                       coalesce(end_at, case when end_after is not null then coalesce(at, (select keelback.clock()) + coalesce(delay, '0')) + end_after end) as expires_at
                from unnest($1, $2, $3, $4, $5, $6, $7, $8, $11, $12, $13, $14, $15, $24, $25, $26, $27, $28, $29, $30) with ordinality
                    c (kind, queue, priority, max_attempts, timeout_ms, input, at, delay, id, pending, followed, settles, root, result_ms,
                       tenant, limits, end_at, end_after, unique_key, key_to_start, ord)
            ), bind as (
                select down, array_agg(up order by ord) as ups, array_agg(param order by ord) as params
                from unnest($16, $17, $18) with ordinality b (down, up, param, ord)
                group by down
            ), body as (
                insert into keelback.run
                    (id, kind, queue, priority, max_attempts, timeout_ms, input, due_at, trace, parent, followed, settles, root, ups, params, result_ms,
                     special, tenant, limits, expires_at, unique_key, key_to_start)
                select id, kind, queue, priority, max_attempts, timeout_ms, input, due_at, $9, $10, followed, settles, root, ups, params, result_ms,
                       limits is not null or expires_at is not null, tenant, string_to_array(limits, E'\n'), expires_at, unique_key, key_to_start
                from call left join bind on bind.down = call.id
            ), edges as (
                insert into keelback.edge (up, down, rule) select * from unnest($19, $20, $21)
            ), tagged as (
                {TagRows("$22", "$23")}
            ), waits as (
                insert into keelback.wait (run_id, pending, queue, priority, due_at, tenant)
                select id, pending, queue, priority, due_at, tenant from call where pending > 0
            ), soon as (
                insert into keelback.ready (queue, priority, run_id, tenant)
                select case when tenant is null then queue else -queue end, priority, id, tenant from call where pending = 0 and due_at is null order by ord
            )
            insert into keelback.timer (at, run_id, what)
            select due_at, id, 0 from call where pending = 0 and due_at is not null
            union all
            select expires_at, id, 2 from call where expires_at is not null
            """);
        AddColumns(command, runs, queues);
        AddOrigin(command, parent);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. runs.Select(r => r.Id)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. runs.Select(r => r.Ups.Count)] });
        command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. runs.Select(r => r.Followed)] });
        command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. runs.Select(r => r.Settles)] });
        command.Parameters.Add(new NpgsqlParameter<long?[]> { TypedValue = [.. runs.Select(r => root ?? r.Root?.Id)] });

        var bound = runs.SelectMany(run => run.Bound.Concat(Unbound(run)).Select(b => (Down: run.Id, Up: b.Up.Id, b.Parameter))).ToList();
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. bound.Select(b => b.Down)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. bound.Select(b => b.Up)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. bound.Select(b => b.Parameter)] });

        var edges = runs.SelectMany(run => run.Ups.Select(up => (Up: up.Key.Id, Down: run.Id, Rule: (short)up.Value))).ToList();
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. edges.Select(e => e.Up)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. edges.Select(e => e.Down)] });
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. edges.Select(e => e.Rule)] });
        AddTags(command, runs);
        command.Parameters.Add(new NpgsqlParameter<long?[]> { TypedValue = [.. runs.Select(r => (long?)r.ResultKept?.TotalMilliseconds)] });
        AddLimits(command, runs);
        AddKeys(command, runs);
        return command;
    }

    // Keys hold no line breaks, and an array of arrays could not be ragged.
    private static void AddLimits(NpgsqlCommand command, IReadOnlyList<PlannedRun> runs)
    {
        var p = command.Parameters;
        p.Add(new NpgsqlParameter<string?[]> { TypedValue = [.. runs.Select(r => r.Tenant)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        p.Add(new NpgsqlParameter<string?[]>
        {
            TypedValue = [.. runs.Select(r => r.Limits.Count == 0 ? null : string.Join('\n', r.Limits))],
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        p.Add(new NpgsqlParameter<DateTime?[]>
        {
            TypedValue = [.. runs.Select(r => r.Options?.ExpiresAt?.UtcDateTime)],
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
        });
        p.Add(new NpgsqlParameter<TimeSpan?[]> { TypedValue = [.. runs.Select(r => r.ExpiresAfter)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Interval });
    }

    private static void AddKeys(NpgsqlCommand command, IReadOnlyList<PlannedRun> runs)
    {
        var p = command.Parameters;
        p.Add(new NpgsqlParameter<string?[]> { TypedValue = [.. runs.Select(r => r.HeldKey)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        p.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. runs.Select(r => r.HeldKey is not null && r.Unique!.Until == UniqueUntil.Started)] });
    }

    /// <summary>Readies runs that exist for edges to come. Answers the ids of those that the app has, negative where they have ended.</summary>
    /// <remarks>Their rows stay locked, so that none ends between this and the edge.</remarks>
    public static NpgsqlCommand Join(IEnumerable<long> runs, string app)
    {
        var command = new NpgsqlCommand(
            """
            with mine as materialized (
                select r.id from keelback.run r join keelback.queue q on q.id = r.queue
                where r.id = any($1) and q.app = $2 order by r.id for no key update of r
            )
            update keelback.run r set followed = true, settles = true from mine
            where r.id = mine.id
            returning case when r.state = 0 then r.id else -r.id end
            """);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. runs] });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = app });
        return command;
    }

    /// <summary>Of runs that succeeded and are joined, one whose result is not there any more: its id, its kind, and for how long it was to be kept.</summary>
    /// <remarks>Null as opposed to no result at all: see <see cref="CompleteStatement"/>. A run that ended as a graph in its place did has the result of that, which stays.</remarks>
    public static NpgsqlCommand Dropped(long[] runs)
    {
        var command = new NpgsqlCommand(
            """
            select r.id, r.kind, r.result_ms from keelback.run r
            where r.id = any($1) and r.state = 1 and r.output is null and r.result_ms is not null
              and not exists (select from keelback.run g where g.id = r.replaced_by and g.output is null)
            order by r.id limit 1
            """);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = runs });
        return command;
    }

    /// <summary>Follows the edges of runs that had ended before they got them. Answers the runs that this ends.</summary>
    public static NpgsqlCommand Settle(long[] ended)
    {
        var command = new NpgsqlCommand("select unnest(keelback.settle($1))");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = ended });
        return command;
    }

    private static void AddColumns(NpgsqlCommand command, IReadOnlyList<PlannedRun> runs, QueueCatalog queues)
    {
        var count = runs.Count;
        var (kinds, numbers, priorities, attempts) = (new string[count], new short[count], new short[count], new short[count]);
        var (timeouts, inputs) = (new int?[count], new ReadOnlyMemory<byte>[count]);
        var (instants, delays) = (new DateTime?[count], new TimeSpan?[count]);
        for (var i = 0; i < count; i++)
        {
            var run = runs[i];
            kinds[i] = run.Kind.Name;
            numbers[i] = queues.Number(run.Queue);
            priorities[i] = (short)run.Priority;
            attempts[i] = (short)run.MaxAttempts;
            timeouts[i] = run.Timeout is { } timeout ? (int)Math.Ceiling(timeout.TotalMilliseconds) : null;
            inputs[i] = run.Payload;
            instants[i] = run.Options?.At?.UtcDateTime;
            delays[i] = run.Options?.Delay is { } delay && delay > TimeSpan.Zero ? delay : null;
        }

        var p = command.Parameters;
        p.Add(new NpgsqlParameter<string[]> { TypedValue = kinds });
        p.Add(new NpgsqlParameter<short[]> { TypedValue = numbers });
        p.Add(new NpgsqlParameter<short[]> { TypedValue = priorities });
        p.Add(new NpgsqlParameter<short[]> { TypedValue = attempts });
        p.Add(new NpgsqlParameter<int?[]> { TypedValue = timeouts });
        p.Add(new NpgsqlParameter<ReadOnlyMemory<byte>[]> { TypedValue = inputs, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        p.Add(new NpgsqlParameter<DateTime?[]> { TypedValue = instants, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
        p.Add(new NpgsqlParameter<TimeSpan?[]> { TypedValue = delays, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Interval });
    }

    private static void AddTags(NpgsqlCommand command, IReadOnlyList<PlannedRun> runs)
    {
        var tags = runs.SelectMany((run, i) => run.Tags.Select(tag => (Tag: tag, Place: i + 1L))).ToList();
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. tags.Select(t => t.Tag)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. tags.Select(t => t.Place)] });
    }

    // Runs of other graphs that only come first: nothing else leads from a run to them.
    private static IEnumerable<(PlannedRun Up, string Parameter)> Unbound(PlannedRun run) =>
        run.Ups.Keys.Where(up => up.Exists && run.Bound.All(b => b.Up != up)).Select(up => (up, ""));

    private static void AddOrigin(NpgsqlCommand command, long? parent)
    {
        command.Parameters.Add(new()
        {
            NpgsqlDbType = NpgsqlDbType.Text,
            Value = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : DBNull.Value,
        });
        command.Parameters.Add(new() { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (object?)parent ?? DBNull.Value });
    }
}
