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
    private const int MostLooked = 100_000; // a page
    private const int MostOpen = 1_000; // asked one by one

    /// <exception cref="KeelbackException">KB1723, KB1724: no search can be made of the text.</exception>
    /// <exception cref="PostgresException">57014: it took longer than 5 s.</exception>
    public async Task<RunPage> FindAsync(RunSearch search, int size, CancellationToken ct)
    {
        var words = search.Text is { } text ? SearchWords.Query(text) : null;
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var (now, upTo) = await BeginAsync(connection, ct);

        var filter = new RunFilter(catalog);
        var look = words is not null
            ? await WordLook.BeginAsync(connection, transaction, filter, clock, words, search, ct)
            : PlaceLook.Of(search.State) is { } place ? new PlaceLook(place, connection, transaction, filter, clock) : new RunLook(connection, filter, clock);

        var (lines, last, more) = (new List<RunLine>(), search.Before, true);
        for (var looked = 0; more && lines.Count <= size && looked < MostLooked;)
        {
            var wanted = IsOpenState(search.State) && looked > 0 ? MostOpen : size + 1 - lines.Count;
            var part = await look.NextAsync(search with { Before = last }, wanted, ct);
            lines.AddRange(await LinesAsync(connection, part.Ids, search.State, ct));
            (last, more, looked) = (part.Last ?? last, part.More, looked + part.Looked);
            if (more && lines.Count <= size && !await look.GoesOnAsync(search with { Before = last }, ct)) break;
        }

        await transaction.CommitAsync(ct);
        var found = lines.Take(size).ToList();
        var next = lines.Count > size ? found[^1].Id : more ? last : null;
        return new(found, next, Partial: more && found.Count < size, now, upTo);
    }

    /// <summary>The kinds of all runs that there ever were, to choose from: the first 500.</summary>
    public async Task<IReadOnlyList<string>> KindsAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand("select distinct kind from keelback.rollup where step = 2 and queue = any($1) order by 1 limit 500");
        command.Parameters.AddWithValue(await QueuesAsync(ct));
        var kinds = new List<string>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) kinds.Add(row.GetString(0));
        return kinds;
    }

    /// <summary>Whether a run of that kind was ever copied.</summary>
    public async Task<bool> HasKindAsync(string kind, CancellationToken ct)
    {
        await using var command = db.CreateCommand("select exists (select from keelback.rollup where step = 2 and queue = any($1) and kind = $2)");
        command.Parameters.AddWithValue(await QueuesAsync(ct));
        command.Parameters.AddWithValue(kind);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private async Task<short[]> QueuesAsync(CancellationToken ct) => [.. (await catalog.AllAsync(ct)).Select(q => q.Id)];

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
                   keelback.run_enqueued_at(r.id), coalesce(c.at, r.started_at), r.finished_at, coalesce(a.retry_at, r.due_at),
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

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
