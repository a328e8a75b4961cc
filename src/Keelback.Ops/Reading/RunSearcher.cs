using System.Globalization;
using System.Text;
using System.Text.Json;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>One line of a search's answer.</summary>
internal sealed record RunLine(
    long Id, string Kind, string Queue, JobRunState State, int Attempt, int MaxAttempts, DateTimeOffset EnqueuedAt, DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt, DateTimeOffset? DueAt, string? Error, string[] Tags, string? WaitsFor);

/// <summary>A page of a search, newest first. The next page begins below <c>Next</c>, unless this was the last; <c>Partial</c>: so many runs were looked at that the search stopped before its page was full.</summary>
internal sealed record RunPage(IReadOnlyList<RunLine> Runs, long? Next, bool Partial, DateTimeOffset Now, DateTimeOffset CopiedUpTo);

/// <summary>Finds runs in the agent's copy, and asks the engine how each one found stands now.</summary>
internal sealed class RunSearcher(NpgsqlDataSource db, QueueCatalog catalog, TimeProvider clock)
{
    private const int MostHits = 3_000; // of words, the newest
    private const int FewHits = 5_000; // up to here the words' index is asked first; else the newest runs are read in turn
    private const int ManyHits = 100_000; // more than the index can put in order in time
    private const int FirstSlice = 500; // runs read in turn: each slice twice the last
    private const int MostLooked = 100_000; // a page
    private const int MostOpen = 1_000; // asked one by one
    private static readonly TimeSpan s_readPatience = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_indexPatience = TimeSpan.FromMilliseconds(45); // together under what a page may take
    private const long FirstMillisecond = 1_577_836_800_000; // of 2020
    private const int IdBits = 22; // below the milliseconds

    /// <exception cref="PostgresException">57014: it took longer than 5 s.</exception>
    public async Task<RunPage> FindAsync(RunSearch search, int size, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var (now, upTo) = await BeginAsync(connection, ct);

        var words = Words(search.Text);
        var estimate = words is null ? 0 : await EstimateAsync(connection, words, ct);
        var few = words is not null && estimate <= FewHits;
        var asked = few || estimate > ManyHits;
        var patience = estimate > ManyHits ? s_readPatience + s_indexPatience : s_readPatience;
        var hits = few ? await HitsAsync(connection, transaction, words!, search, ct) : null;

        var (lines, last, more, began) = (new List<RunLine>(), search.Before, true, clock.GetTimestamp());
        for (var (looked, slice) = (0, words is null ? size + 1 : FirstSlice); more && lines.Count <= size && looked < MostLooked; slice = Math.Min(slice * 2, MostOpen * 16))
        {
            var wanted = IsOpenState(search.State) && looked > 0 ? MostOpen : size + 1 - lines.Count;
            var page = words is null || hits is not null
                ? await IdsAsync(connection, search with { Before = last }, hits, wanted, ct)
                : await MetAsync(connection, search with { Before = last }, words, slice, wanted, ct);
            lines.AddRange(await LinesAsync(connection, page.Ids, search.State, ct));
            (last, more, looked) = (page.Last ?? last, page.More, looked + page.Looked);
            if (!more && hits is { Length: MostHits }) (last, more, hits) = (hits[^1], true, null); // older ones were not asked for
            if (clock.GetElapsedTime(began) < patience) continue;

            // So rare among the newest that the index may know better, unless it was asked.
            if (words is null || asked || lines.Count > size) break;
            (asked, began) = (true, clock.GetTimestamp());
            hits = await HitsAsync(connection, transaction, words, search with { Before = last }, ct);
            if (hits is null) break;
        }

        await transaction.CommitAsync(ct);
        var found = lines.Take(size).ToList();
        var next = lines.Count > size ? found[^1].Id : more ? last : null;
        return new(found, next, Partial: more && found.Count < size, now, upTo);
    }

    /// <summary>The kinds among the runs of the last days, for the search's form.</summary>
    public async Task<IReadOnlyList<string>> KindsAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            "select distinct kind from keelback.rollup where step = 1 and at > keelback.clock() - interval '7 days' and queue = any($1) order by 1 limit 500");
        command.Parameters.AddWithValue((await catalog.AllAsync(ct)).Select(q => q.Id).ToArray());
        var kinds = new List<string>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) kinds.Add(row.GetString(0));
        return kinds;
    }

    private async Task<(DateTimeOffset Now, DateTimeOffset UpTo)> BeginAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select keelback.clock(), coalesce((select at from keelback.search_cursor where app = $1), 'epoch'),
                   set_config('statement_timeout', '5s', true), set_config('jit', 'off', true)
            """, connection);
        command.Parameters.AddWithValue(catalog.App);
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return (row.GetFieldValue<DateTimeOffset>(0), row.GetFieldValue<DateTimeOffset>(1));
    }

    /// <summary>The planner's guess of how many runs hold the words; it knows the most common ones, but not what begins with a prefix.</summary>
    private static async Task<double> EstimateAsync(NpgsqlConnection connection, string words, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("explain (format json) select from keelback.run_words where words @@ $1::tsquery", connection);
        command.Parameters.AddWithValue(words.Replace(":*", "", StringComparison.Ordinal));
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(ct))!);
        return plan.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetDouble();
    }

    /// <summary>By the index of words: the newest runs that hold them. Null: it took too long, so there are many.</summary>
    private static async Task<long[]?> HitsAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string words, RunSearch search, CancellationToken ct)
    {
        await transaction.SaveAsync("words", ct);
        try
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(Statement.Of(
                "select set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true), set_config('statement_timeout', $1, true)",
                Statement.P(s_indexPatience.TotalMilliseconds.ToString(CultureInfo.InvariantCulture))));
            batch.BatchCommands.Add(Statement.Of(
                "select id from keelback.run_words where words @@ $1::tsquery and id < $2 order by id desc limit $3",
                Statement.P(words), Statement.P(search.Before ?? long.MaxValue), Statement.P(MostHits)));
            batch.BatchCommands.Add(new("select set_config('enable_indexscan', 'on', true), set_config('statement_timeout', '5s', true)"));

            await using var row = await batch.ExecuteReaderAsync(ct);
            await row.NextResultAsync(ct);
            return [.. await Statement.IdsAsync(row, ct)];
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            await transaction.RollbackAsync("words", ct); // the settings too
            return null;
        }
    }

    /// <summary>The newest runs that fit, where the words do not matter or their hits are known.</summary>
    private async Task<Found> IdsAsync(NpgsqlConnection connection, RunSearch search, long[]? hits, int limit, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        var where = await WhereAsync(command, search, ct);
        if (hits is not null) where += $" and s.id = any({P(command, hits)})";
        command.CommandText = $"select s.id from keelback.run_search s where {where} order by s.id desc limit {limit.ToString(CultureInfo.InvariantCulture)}";
        await using var row = await command.ExecuteReaderAsync(ct);
        var ids = await Statement.IdsAsync(row, ct);
        return new(ids, ids.Count > 0 ? ids[^1] : null, ids.Count == limit, ids.Count);
    }

    /// <summary>Reads a slice of the newest runs that fit, for those that hold the words.</summary>
    private async Task<Found> MetAsync(NpgsqlConnection connection, RunSearch search, string words, int slice, int limit, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        var where = await WhereAsync(command, search, ct);
        command.CommandText =
            $"""
            with slice as materialized (
                select s.id from keelback.run_search s where {where} order by s.id desc limit {slice.ToString(CultureInfo.InvariantCulture)}
            )
            select array(select p.id from slice p
                         cross join lateral (select words from keelback.run_words w where w.id = p.id limit 1) w
                         where w.words @@ {P(command, words)}::tsquery order by p.id desc limit {limit.ToString(CultureInfo.InvariantCulture)}),
                   count(*)::int, min(id)
            from slice
            """;
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var (ids, looked) = (row.GetFieldValue<long[]>(0), row.GetInt32(1));
        return ids.Length == limit
            ? new([.. ids], ids[^1], true, looked)
            : new([.. ids], row.IsDBNull(2) ? null : row.GetInt64(2), looked == slice, looked);
    }

    private async Task<string> WhereAsync(NpgsqlCommand command, RunSearch search, CancellationToken ct)
    {
        var where = new StringBuilder("s.queue = any(").Append(P(command, (await QueuesAsync(search.Queue, ct)).ToArray())).Append(')');
        void And(string condition) => where.Append(" and ").Append(condition);

        And($"s.id < {P(command, search.Before ?? long.MaxValue)}");
        if (search.From is { } from) And($"s.id >= {P(command, FirstId(from))}");
        if (search.To is { } to) And($"s.id < {P(command, FirstId(to))}");
        if (search.Kind is { } kind) And($"s.kind = {P(command, kind)}");
        if (search.Tag is { } tag) And($"s.tags @> array[{P(command, tag)}]");

        if (search.State is { } state)
        {
            if (state == JobRunState.Running) And("s.id in (select run_id from keelback.claim)");
            else if (state == JobRunState.Blocked) And("s.state = 0 and exists (select from keelback.wait w where w.run_id = s.id)");
            else if (state == JobRunState.Limited) And("s.state = 0 and exists (select from keelback.parked p where p.run_id = s.id)");
            else And(States.Stored(state) == 0 ? "s.state = 0" : $"s.state = {States.Stored(state).ToString(CultureInfo.InvariantCulture)}");
        }

        return where.ToString();
    }

    private async Task<IReadOnlyList<short>> QueuesAsync(string? name, CancellationToken ct)
    {
        var all = await catalog.AllAsync(ct);
        return [.. all.Where(q => name is null || q.Name == name).Select(q => q.Id)];
    }

    /// <summary>In which states an open run stands is known to the engine alone, so those are asked one by one.</summary>
    private static bool IsOpenState(JobRunState? state) => state is JobRunState.Ready or JobRunState.Scheduled or JobRunState.Blocked or JobRunState.Limited;

    private static async Task<List<RunLine>> LinesAsync(NpgsqlConnection connection, List<long> ids, JobRunState? state, CancellationToken ct)
    {
        var lines = new List<RunLine>();
        if (ids.Count == 0) return lines;

        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(
            $"""
            select r.id, r.kind, q.name, {RunStates.Sql}, coalesce(r.attempt, c.attempt, a.n, 0)::int, r.max_attempts::int,
                   keelback.run_enqueued_at(r.id), coalesce(r.started_at, c.at), r.finished_at, coalesce(a.retry_at, r.due_at),
                   coalesce(r.error, a.error) ->> 'message', coalesce(s.tags, '{"{}"}'), {RunStates.Limit}
            from unnest($1) with ordinality asked (id, ord)
            cross join lateral (select * from keelback.run where id = asked.id limit 1) r
            join keelback.run_search s on s.id = r.id
            join keelback.queue q on q.id = r.queue
            {RunStates.Joins}
            order by asked.ord
            """, Statement.P(ids.ToArray())));

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var line = new RunLine(row.GetInt64(0), row.GetString(1), row.GetString(2), Enum.Parse<JobRunState>(row.GetString(3)), row.GetInt32(4), row.GetInt32(5),
                row.GetFieldValue<DateTimeOffset>(6), Time(row, 7), Time(row, 8), Time(row, 9), row.IsDBNull(10) ? null : row.GetString(10), row.GetFieldValue<string[]>(11),
                row.IsDBNull(12) ? null : row.GetString(12));
            if (state is null || line.State == state) lines.Add(line);
        }

        return lines;
    }

    /// <summary>A tsquery: every word of the text, each as a beginning. Null: there is none.</summary>
    internal static string? Words(string? text)
    {
        if (text is null) return null;
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var letter in text.Append(' '))
        {
            if (char.IsLetterOrDigit(letter))
            {
                word.Append(char.ToLowerInvariant(letter));
            }
            else if (word.Length > 0)
            {
                words.Add($"'{word}':*"); // letters and digits alone: nothing to escape
                word.Clear();
            }
        }

        return words.Count == 0 ? null : string.Join(" & ", words.Take(20));
    }

    /// <summary>As keelback.first_run_id, within the years that an id can tell.</summary>
    private static long FirstId(DateTimeOffset at) =>
        Math.Clamp(at.ToUnixTimeMilliseconds() - FirstMillisecond, 0, long.MaxValue >> IdBits) << IdBits;

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    /// <summary>The runs that a look found, the last one that it looked at, whether there may be more, and how many it looked at.</summary>
    private readonly record struct Found(List<long> Ids, long? Last, bool More, int Looked);

    private static string P<T>(NpgsqlCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return "$" + command.Parameters.Count.ToString(CultureInfo.InvariantCulture);
    }
}
