using System.Globalization;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Reads in turn, and asks who knows which runs fit where that finds too few in its time.</summary>
internal abstract class AskingLook(NpgsqlConnection connection, NpgsqlTransaction transaction, RunFilter filter, TimeProvider clock)
    : RunLook(connection, filter, clock)
{
    protected const int MostHits = 3_000; // the newest

    private bool _asked;
    private long[]? _hits;

    public sealed override async Task<FoundRuns> NextAsync(RunSearch search, int limit, CancellationToken ct)
    {
        if (_hits is not { } hits) return await ReadOnAsync(search, limit, ct);

        var found = await ReadAsync(search, hits, limit, ct);
        if (found.More || hits.Length < MostHits) return found;

        _hits = null; // older ones were not asked for
        return found with { Last = hits[^1], More = true };
    }

    public sealed override async Task<bool> GoesOnAsync(RunSearch search, CancellationToken ct)
    {
        if (HasTime()) return true;
        if (_asked) return false;

        // So rare among the newest that who is asked may know better.
        BeginAgain();
        return await AskAsync(search, ct);
    }

    protected void NeverAsk() => _asked = true;

    /// <summary>False: it took too long, so there are many.</summary>
    protected async Task<bool> AskAsync(RunSearch search, CancellationToken ct)
    {
        _asked = true;
        await transaction.SaveAsync("asked", ct);
        try
        {
            await using var batch = new NpgsqlBatch(Connection);
            batch.BatchCommands.Add(Statement.Of(
                $"{Settings}, set_config('statement_timeout', $1, true)", Statement.P(AskPatience.TotalMilliseconds.ToString(CultureInfo.InvariantCulture))));
            batch.BatchCommands.Add(Ask(search.Before ?? long.MaxValue));
            batch.BatchCommands.Add(new("select set_config('enable_indexscan', 'on', true), set_config('statement_timeout', '5s', true)"));

            await using var row = await batch.ExecuteReaderAsync(ct);
            await row.NextResultAsync(ct);
            _hits = [.. await Statement.IdsAsync(row, ct)];
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            await transaction.RollbackAsync("asked", ct); // the settings too
            return false;
        }
    }

    protected abstract TimeSpan AskPatience { get; }

    /// <summary>A select of the settings under which <see cref="Ask"/> is planned.</summary>
    protected abstract string Settings { get; }

    /// <summary>The newest <see cref="MostHits"/> ids below one.</summary>
    protected abstract NpgsqlBatchCommand Ask(long before);

    protected virtual Task<FoundRuns> ReadOnAsync(RunSearch search, int limit, CancellationToken ct) => ReadAsync(search, among: null, limit, ct);
}
