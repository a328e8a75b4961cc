using Npgsql;

namespace Keelback.Jobs;

/// <content>Many runs as one: by graph, tag or kind; and ended ones again.</content>
public sealed partial class JobClient
{
    // What keelback.redrive raises.
    private const string KeyIsTaken = "KB233";
    private const string ResultsAreGone = "KB288";

    /// <summary>Ends every open run of the graph that a run belongs to, what took a job's place included. Runs that had ended stay as they are.</summary>
    /// <returns>How many runs it ended.</returns>
    public Task<int> CancelGraphAsync(long run, CancellationToken ct = default) => CancelAllAsync(OpenRuns.OfGraph, run, ct);

    /// <summary>Ends every open run with a tag, and what waits for one of them. Runs that get the tag later are not meant.</summary>
    /// <returns>How many runs it ended.</returns>
    public Task<int> CancelTaggedAsync(string tag, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        StorableText.Check(nameof(tag), tag);
        return CancelAllAsync(OpenRuns.Tagged, tag, ct);
    }

    /// <summary>Ends every open run of a kind, and what waits for one of them. Looks at every open run: not for every minute.</summary>
    /// <returns>How many runs it ended.</returns>
    public Task<int> CancelKindAsync(string kind, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        StorableText.Check(nameof(kind), kind);
        return CancelAllAsync(OpenRuns.OfKind, kind, ct);
    }

    /// <summary>
    /// Opens a run again that ended without success, with as many attempts as it first had, and what ended below it because of it. If a graph
    /// took its place, what did not succeed of that runs again, not its own body. What follows its end and has not started waits for the new one.
    /// </summary>
    /// <returns>False: it is open, has succeeded, or was cancelled or expired while it waited for one that has not succeeded; or there is none.</returns>
    /// <exception cref="KeelbackException">KB1233: another run has its unique key now. KB1243: it never ran, and what it waited for still has not succeeded. KB1288: results that it takes are gone.</exception>
    public async Task<bool> RetryAsync(long run, CancellationToken ct = default)
    {
        if (await RedriveAsync(run, whole: false, ct) > 0) return true;
        if (await GetAsync(run, ct) is { State: JobRunState.UpstreamFailed or JobRunState.Skipped } ended) throw JobErrors.StillShut(ended);

        return false;
    }

    /// <summary>
    /// Opens whatever did not succeed in the graph that a run belongs to: failed jobs get as many attempts as they first had, and what waited for
    /// them waits again. What succeeded does not run again, a body or a callback neither.
    /// </summary>
    /// <returns>How many runs are open again.</returns>
    /// <exception cref="KeelbackException">KB1233: another run has the unique key of one of them now. KB1288: results that one of them takes are gone. None is open again.</exception>
    public Task<int> RetryGraphAsync(long run, CancellationToken ct = default) => RedriveAsync(run, whole: true, ct);

    /// <summary>The graph that a run belongs to as it is now; of a run without edges, that run alone. Null when there is none.</summary>
    public async Task<JobGraph?> GetGraphAsync(long run, CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return await GraphReader.FindAsync(connection.Connection, run, _queues.App, ct);
    }

    /// <summary>The ids of runs with a tag, the newest first.</summary>
    /// <param name="tag">The whole tag.</param>
    /// <param name="limit">At most so many, 1 to 10,000. Default 100.</param>
    /// <param name="before">Only runs with a smaller id: the last of the page before.</param>
    /// <param name="ct">Ends the search.</param>
    public async Task<IReadOnlyList<long>> FindTaggedAsync(string tag, int limit = 100, long before = long.MaxValue, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        StorableText.Check(nameof(tag), tag);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 10_000);
        await using var connection = await _connections.OpenAsync(ct);
        return await GraphReader.TaggedAsync(connection.Connection, tag, _queues.App, before, limit, ct);
    }

    /// <summary>A run's tags in alphabetical order: its own, its graph's, and those of the run whose attempt enqueued it.</summary>
    public async Task<IReadOnlyList<string>> GetTagsAsync(long run, CancellationToken ct = default)
    {
        await using var connection = await _connections.OpenAsync(ct);
        return await GraphReader.TagsAsync(connection.Connection, run, _queues.App, ct);
    }

    // Until no open run is left: one may have enqueued or replaced itself by others while the page was read.
    private async Task<int> CancelAllAsync<T>(string sql, T value, CancellationToken ct)
    {
        await using var connection = await _connections.OpenAsync(ct);
        var count = 0;
        while (true)
        {
            var page = await OpenRuns.PageAsync(connection.Connection, sql, value, _queues.App, ct);
            if (page.Length == 0) return count;

            var ended = await EndAsync(connection, page, ct);
            if (ended == 0) return count;
            count += ended;
        }
    }

    private async Task<int> EndAsync(JobConnection connection, long[] runs, CancellationToken ct)
    {
        // Locks are taken in one order, but a graph that stands in a job's place turns it round.
        var ended = await Undisturbed.RunAsync(() => CancelStatement.RunAsync(connection.Connection, runs, _queues.App, ct));
        _news.Ended(ended);
        if (ended.Count == 0) return 0;

        _wakes.ClaimsTaken();
        _wakes.Workers(); // what follows a failure may be ready now
        return ended.Count;
    }

    private async Task<int> RedriveAsync(long run, bool whole, CancellationToken ct)
    {
        await using var connection = await _connections.OpenAsync(ct);
        var opened = await Undisturbed.RunAsync(async () =>
        {
            try
            {
                return await connection.AtomicallyAsync(c => OpenAsync(c, run, whole, ct), ct);
            }
            catch (PostgresException e) when (e.SqlState == KeyIsTaken)
            {
                throw JobErrors.KeyIsTaken(e.MessageText);
            }
            catch (PostgresException e) when (e.SqlState == ResultsAreGone)
            {
                throw JobErrors.ResultsGone(e.MessageText);
            }
        });
        if (opened > 0) _wakes.Workers();

        return opened;
    }

    private async Task<int> OpenAsync(NpgsqlConnection connection, long run, bool whole, CancellationToken ct)
    {
        await using (var held = RetentionLock.ToNeed(_queues.App, connection)) await held.ExecuteNonQueryAsync(ct);

        await using var command = new NpgsqlCommand("select keelback.redrive(array[$1], $2, $3)", connection);
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(whole);
        var opened = (long[])(await command.ExecuteScalarAsync(ct))!;
        if (opened.Length == 0) return 0;

        await using var due = new NpgsqlCommand("update keelback.run set due_at = keelback.clock() where id = any($1) and state = 0", connection); // it has waited from now on
        due.Parameters.AddWithValue(opened);
        await due.ExecuteNonQueryAsync(ct);
        return opened.Length;
    }
}
