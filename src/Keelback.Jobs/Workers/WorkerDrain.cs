using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>The end of a worker: from its beginning nothing is claimed; what ends in time is kept, the rest handed back, its attempt with it.</summary>
internal sealed class WorkerDrain(NpgsqlDataSource db, JobNews news, TimeProvider clock, ILogger log)
{
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan _patience = Patience.Usual; // less after the first row that somebody has locked, since a stop has an end

    public bool IsEmpty => _empty.Task.IsCompleted;

    /// <summary>The pump has nothing left: no job runs, and every outcome is written.</summary>
    public void Empty() => _empty.TrySetResult();

    /// <summary>False: something still runs when the time is over, or the host has lost its patience.</summary>
    public async Task<bool> EndsWithinAsync(TimeSpan time, CancellationToken ct)
    {
        try
        {
            await _empty.Task.WaitAsync(time, clock, ct);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Writes what the pump had not told, then gives back whatever the worker holds, claims whose answer was lost included.</summary>
    /// <remarks>After the pump's end, so that nobody else tells outcomes. What still runs is fenced from here on, and the next worker may begin at once.</remarks>
    /// <param name="worker">Who ends.</param>
    /// <param name="untold">The outcomes.</param>
    /// <param name="running">What still runs.</param>
    /// <param name="doubted">Those of the outcomes that may be written already; null: none.</param>
    public async Task HandBackAsync(WorkerIdentity worker, IReadOnlyList<Outcome> untold, IReadOnlyCollection<Claim> running, IReadOnlySet<Outcome>? doubted = null)
    {
        if (running.Count > 0) Log.HandedBack(log, running.Count);

        await using var connection = await db.OpenConnectionAsync(CancellationToken.None);
        foreach (var outcome in untold) await TellAsync(connection, new() { Outcomes = [outcome], Doubted = doubted?.Contains(outcome) is true ? [outcome] : [] }); // one by one: a refused row must not strand the others
        await TellAsync(connection, new() { Outcomes = [.. running.Select(claim => new Outcome.Released(claim))] });
        await TellAsync(connection, new() { Outcomes = [], Known = (worker, []) });
    }

    private async Task TellAsync(NpgsqlConnection connection, ExchangeRequest request)
    {
        try
        {
            var result = await Undisturbed.RunAsync(() => Exchange.RunAsync(connection, request with { LockTimeout = _patience }, prepare: false, CancellationToken.None));
            news.Told(request.Outcomes, result);
        }
        catch (PostgresException e)
        {
            if (Patience.IsOver(e)) _patience = Patience.Alone;
            Log.LeftBehind(log, request.Outcomes.Count, e);
        }
    }
}
