using Keelback.Postgres;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Runs every due job, one after the other, until none is left: what tests use in a worker's place.</summary>
/// <remarks>Works on the pinned connection when there is one, so also inside a transaction that will be rolled back.</remarks>
internal sealed class JobDrainer(
    JobConnections connections, JobKinds kinds, JobRunner runner, QueueCatalog queues, UnknownKinds unknownKinds,
    RunWaiters waiters, RetryRules rules, TimeProvider clock)
{
    private static readonly TimeSpan s_lease = TimeSpan.FromHours(1);

    /// <summary>How many attempts ran. Jobs that they enqueue run too; what is due later does not.</summary>
    public async Task<int> DrainAsync(CancellationToken ct = default)
    {
        await using var connection = await connections.OpenAsync(ct);
        var worker = WorkerRegistry.Register(connection.Connection, new(queues.App, "drain", [], "{}"), s_lease);
        try
        {
            var ran = 0;
            while (await NextAsync(connection, worker, ct) is { } claim)
            {
                await RunAsync(connection.Connection, claim, worker, ct);
                ran++;
            }

            return ran;
        }
        finally
        {
            WorkerRegistry.Leave(connection.Connection, worker);
        }
    }

    private async Task<Claim?> NextAsync(JobConnection connection, WorkerIdentity worker, CancellationToken ct)
    {
        while ((await FireAsync(connection, ct)).Count > 0)
        {
        }

        var lanes = new Lanes(clock);
        lanes.Set(await queues.AllAsync(ct));
        while (true)
        {
            var asked = new ExchangeRequest { Outcomes = [], Claim = lanes.Request(1, full: true, worker, queues.App, kinds.Names) };
            var result = await Exchange.RunAsync(connection.Connection, asked, prepare: false, ct);

            unknownKinds.Report(result.Claimed.UnknownKinds);
            if (result.Claimed.Claims is [var claim]) return claim;
            if (result.Claimed.Seen.Count == 0) return null;
        }
    }

    private Task<FiredTimers> FireAsync(JobConnection connection, CancellationToken ct) => connection.Owned
        ? TimerLoop.FireAsync(connection.Connection, queues.App, rules, ct)
        : TimerLoop.FireInsideAsync(connection.Connection, queues.App, rules, ct);

    private async Task RunAsync(NpgsqlConnection connection, Claim claim, WorkerIdentity worker, CancellationToken ct)
    {
        using var job = new RunningJob(claim, clock);
        using var stop = ct.Register(() => job.Stop(StopReason.Released));

        var outcome = await runner.RunAsync(job, worker);
        var result = await Exchange.RunAsync(connection, new() { Outcomes = [outcome] }, prepare: false, CancellationToken.None);
        waiters.Ended(result.Written.Append(claim.RunId));
        ct.ThrowIfCancellationRequested();
    }
}
