using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Writes a plan in a transaction of its own, and again while the database is away.</summary>
/// <remarks>
/// A try that never got a connection wrote nothing. One whose answer was lost may have: it is done again only where that is harmless,
/// which is when the runs' ids were reserved before. The second insert then waits for the first, should it still be at work, and is refused when
/// that commits: a third try finds its rows.
/// </remarks>
internal sealed class EnqueueRetry(
    EnqueueWriter writer, JobConnections connections, IOptions<JobsOptions> options, TimeProvider clock, ILogger<EnqueueRetry> log)
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(1);

    /// <exception cref="KeelbackException">KB1270: nobody knows whether it was enqueued. KB1271: it was not.</exception>
    public async Task<long[]> WriteAsync(EnqueuePlan plan, CancellationToken ct)
    {
        plan.ReserveIds |= options.Value.IdempotentEnqueue;
        var began = clock.GetTimestamp();
        var backoff = new Backoff(s_first, s_most, RetryBackoff.Exponential, Jitter: true);
        for (var tries = 1; ; tries++)
        {
            var (mayBeWritten, pinned) = (false, false);
            try
            {
                await writer.PrepareAsync(plan, ct);
                await using var connection = await connections.OpenAsync(ct);
                (mayBeWritten, pinned) = (true, !connection.Owned);
                if (!EnqueueWriter.IsOneStatement(plan)) return await connection.AtomicallyAsync(c => writer.WriteAsync(plan, c, ct), ct);
                return pinned ? await writer.WriteAsync(plan, connection.Connection, ct) : await writer.WriteAloneAsync(plan, connection.Connection, ct);
            }
            catch (PostgresException e) when (plan.MayBeWritten && e is { SqlState: PostgresErrorCodes.UniqueViolation, SchemaName: "keelback" })
            {
                // The first try was still at work when this one looked for its rows, and has committed: the next one finds them.
            }
            catch (Exception e) when (!pinned && Outage.Is(e) && !ct.IsCancellationRequested)
            {
                plan.MayBeWritten |= mayBeWritten;
                var kind = plan.Roots[0].Kind.Name;
                if (plan is { MayBeWritten: true, ReserveIds: false }) throw JobErrors.EnqueueUnknown(kind, e);

                var pause = backoff.Next(tries);
                if (clock.GetElapsedTime(began) + pause >= options.Value.EnqueuePatience)
                    throw plan.MayBeWritten ? JobErrors.EnqueueUnknown(kind, e) : JobErrors.EnqueueAway(kind, options.Value.EnqueuePatience, e);

                Log.EnqueueTriedAgain(log, kind, e.GetBaseException().Message);
                await Task.Delay(pause, clock, ct);
            }
        }
    }
}
