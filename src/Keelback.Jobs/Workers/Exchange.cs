using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>What a worker has to tell and to ask, in one round trip and one commit.</summary>
internal sealed record ExchangeRequest
{
    /// <summary>A call that goes before, and is committed by itself.</summary>
    public CarriedCall? Carried { get; init; }

    public required IReadOnlyList<Outcome> Outcomes { get; init; }

    /// <summary>Those of the outcomes that an exchange whose answer was lost may have written.</summary>
    public IReadOnlyList<Outcome> Doubted { get; init; } = [];

    /// <summary>How long it waits for a row that somebody else has locked, before it fails with nothing written; null: as long as it takes.</summary>
    public TimeSpan? LockTimeout { get; init; }

    /// <summary>Null: no slot is free, or no lease held.</summary>
    public ClaimRequest? Claim { get; init; }

    /// <summary>The claims to ask after; empty: not now.</summary>
    public IReadOnlyList<Claim> Held { get; init; } = [];

    /// <summary>The tokens that the worker knows; set after an answer was lost, so that the others are handed back.</summary>
    public (WorkerIdentity Worker, long[] Tokens)? Known { get; init; }
}

/// <summary>What came back.</summary>
internal sealed class ExchangeResult
{
    public ClaimResult Claimed { get; } = new();

    /// <summary>Tokens of held claims that were taken away.</summary>
    public List<long> Lost { get; set; } = [];

    /// <summary>Runs that waited for a limit and may be claimed now, since these outcomes freed slots.</summary>
    public int Promoted { get; set; }

    /// <summary>Runs that were ended, or whose attempt was recorded as failed.</summary>
    public HashSet<long> Written { get; } = [];

    /// <summary>Runs of doubted outcomes that have them, whichever exchange wrote them.</summary>
    public HashSet<long> WrittenBefore { get; } = [];

    /// <summary>False: the outcome came too late, its claim was gone.</summary>
    public bool Wrote(Outcome outcome) => !outcome.Tells || Written.Contains(outcome.Claim.RunId) || WrittenBefore.Contains(outcome.Claim.RunId);
}

/// <summary>Completes, fails, hands back and claims over one connection that stays open, with prepared statements.</summary>
/// <remarks>Completions come before the claim, so that a run which they release is claimed in the same round trip.</remarks>
internal sealed class Exchange(NpgsqlDataSource db, PreparedStatements prepared, ILogger<Exchange> log) : IAsyncDisposable
{
    private NpgsqlConnection? _connection;

    /// <summary>Whether a call may go with the next one: its connection has stood the last, and statements stay prepared on it.</summary>
    public bool MayCarry => _connection is not null && prepared.Enabled;

    public async Task<ExchangeResult> RunAsync(ExchangeRequest request, CancellationToken ct)
    {
        try
        {
            return await OnceAsync(request, ct);
        }
        catch (Exception e) when (prepared.IsRefusal(e))
        {
            Log.PreparedStatementsOff(log);
            await DropAsync();
            if (request.Carried is { IsCommitted: false } call)
            {
                call.Refuse(); // nothing of it was done; what came after it may have been
                throw;
            }

            return await OnceAsync(request with { Carried = null }, ct);
        }
        catch (Exception e)
        {
            // After a commit that failed beside other statements, Npgsql takes their answers for those of the session's next ones: nobody may get it.
            if (request.Carried?.Failed(e) is true && request.Carried.HasRun) db.Clear();
            await DropAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await DropAsync();

    private async Task<ExchangeResult> OnceAsync(ExchangeRequest request, CancellationToken ct)
    {
        if (_connection is null && request.Carried is { } call)
        {
            call.Refuse(); // its caller has better rules for a database that is away
            request = request with { Carried = null };
        }

        _connection ??= await db.OpenConnectionAsync(ct);
        if (request.Carried is not null) ct = CancellationToken.None; // who called is not stopping
        return await RunAsync(_connection, request, prepared.Enabled, ct);
    }

    /// <summary>The same on a connection of the caller's, inside its transaction.</summary>
    public static async Task<ExchangeResult> RunAsync(
        NpgsqlConnection connection, ExchangeRequest request, bool prepare, CancellationToken ct)
    {
        var result = new ExchangeResult();
        var readers = new List<Func<NpgsqlDataReader, Task>>();

        await using var batch = new NpgsqlBatch(connection);
        if (request.Carried is { } call) batch.BatchCommands.Add(call.Command);

        // A crash of the database may take a claim back: what ends a run waits for the disk, and the log is written in order, so nothing
        // that was told is lost with it. The run is ready again; of it and the attempt that still runs, the first to end counts. A claim that takes a limit's slot waits as well.
        batch.BatchCommands.Add(request.Outcomes.Count == 0 && request.Known is null ? Statement.ByKeyAndSoon(request.LockTimeout) : Statement.ByKey(request.LockTimeout));

        void Add(NpgsqlBatchCommand command, Func<NpgsqlDataReader, Task> read)
        {
            batch.BatchCommands.Add(command);
            readers.Add(read);
        }

        async Task Written(NpgsqlDataReader row) => result.Written.UnionWith(await Statement.IdsAsync(row, ct));

        foreach (var done in request.Outcomes.OfType<Outcome.Succeeded>().GroupBy(o => o.Claim.Followed))
            Add(CompleteStatement.Of([.. done.OrderBy(o => o.Claim.RunId)], done.Key), Written);
        if (ResultStatement.Of(request.Outcomes.OfType<Outcome.Succeeded>()) is { } forgotten)
            Add(forgotten, static _ => Task.CompletedTask);
        if (request.Outcomes.OfType<Outcome.Failed>().ToList() is { Count: > 0 } failed)
            Add(FailStatement.Of(failed), Written);
        if (request.Outcomes.OfType<Outcome.Snoozed>().ToList() is { Count: > 0 } snoozed)
            Add(ExitStatement.Of(snoozed), Written);
        if (request.Outcomes.OfType<Outcome.Skipped>().ToList() is { Count: > 0 } skipped)
            Add(ExitStatement.Of(skipped), Written);
        if (request.Outcomes.OfType<Outcome.Released>().ToList() is { Count: > 0 } released)
            Add(ReleaseStatement.Of(released), static _ => Task.CompletedTask);
        if (request.Doubted.Count > 0)
            Add(WrittenStatement.Of(request.Doubted), async row => result.WrittenBefore.UnionWith(await Statement.IdsAsync(row, ct)));
        if (request.Known is { } known)
            Add(ReleaseStatement.OfStrangers(known.Worker, known.Tokens), static _ => Task.CompletedTask);
        if (request.Outcomes.Where(o => o.Claim.Limited).Select(o => o.Claim.RunId).ToArray() is { Length: > 0 } limited)
            Add(PromoteStatement.After(limited), async row => result.Promoted = await PromoteStatement.CountAsync(row, ct));
        if (request.Held.Count > 0)
            Add(LostStatement.Of(request.Held), async row => result.Lost = await Statement.IdsAsync(row, ct));
        if (request.Claim is { } claim)
            Add(ClaimStatement.Of(claim), row => ClaimStatement.ReadAsync(row, result.Claimed, ct));

        if (readers.Count == 0 && request.Carried is null) return result;

        if (prepare) await batch.PrepareAsync(ct);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (request.Carried is { } carried)
        {
            carried.HasRun = true;
            carried.Committed(await Statement.IdsAsync(reader, ct)); // reads the end of its transaction
            await reader.NextResultAsync(ct);
        }

        foreach (var read in readers)
        {
            await reader.NextResultAsync(ct);
            await read(reader);
        }

        // Reads the end of the batch: an error after the last row would come only here.
        await reader.NextResultAsync(ct);
        return result;
    }

    private async Task DropAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null) await connection.DisposeAsync();
    }
}
