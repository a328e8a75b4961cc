using Keelback.Postgres;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>The loops of a process that runs jobs: started together, and stopped with the worker first, while the others still serve it.</summary>
internal sealed class JobServices(
    JobKinds kinds, QueueCatalog queues, Worker worker, TimerLoop timers, JobRescuer rescuer, RetentionLoop retention, LimitLoop limitLoop,
    LimitCatalog limits, ScheduleSync schedules, Ticker ticker, WorkerOrders orders, RunLogWriter logs, JobWakes wakes, StartPatience patience,
    IOptions<JobsOptions> options, ILogger<JobServices> log)
    : IHostedService
{
    private readonly List<IDisposable> _subscriptions = [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await patience.RunAsync(PrepareAsync, cancellationToken);
        if (!options.Value.RunWorker) return;

        _subscriptions.AddRange(
        [
            wakes.OnWork(worker.Wake), wakes.OnTimer(timers.Wake), wakes.OnClaimsTaken(worker.AskForClaims), wakes.OnLookAgain(worker.LookAgain),
            wakes.OnSchedules(ticker.Wake), wakes.OnOrders(orders.Wake),
        ]);

        await worker.StartAsync(cancellationToken);
        await orders.StartAsync(cancellationToken);
        await logs.StartAsync(cancellationToken);
        await timers.StartAsync(cancellationToken);
        await rescuer.StartAsync(cancellationToken);
        await retention.StartAsync(cancellationToken);
        await limitLoop.StartAsync(cancellationToken);
        await ticker.StartAsync(cancellationToken);
    }

    private async Task PrepareAsync(CancellationToken ct)
    {
        // Before the first transaction that enqueues: a queue's number is made on a second connection, which a full pool would not have.
        await queues.EnsureAsync(kinds.Queues, async: true, ct);
        await limits.EnsureAllAsync(ct);
        await schedules.RunAsync(ct);
        if (!options.Value.RunWorker) return;

        await MakeOwnQueuesAsync(ct);
        await orders.ReadAsync(ct);
    }

    private async Task MakeOwnQueuesAsync(CancellationToken ct)
    {
        if (options.Value.Queues.Count == 0) return;

        // A queue may well be older than its first job; so may a misspelt one, for which this worker would wait in silence.
        string[] known = [.. (await queues.AllAsync(ct)).Select(queue => queue.Name)];
        await queues.EnsureAsync(options.Value.Queues, async: true, ct);
        foreach (var queue in options.Value.Queues.Except(known))
            Log.QueueMade(log, queue, NearestName.Of(queue, known) is { } near ? $" Did you mean '{near}'?" : "");
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.RunWorker) return;

        await worker.StopAsync(cancellationToken);
        foreach (var subscription in _subscriptions) subscription.Dispose();
        await Task.WhenAll(
            orders.StopAsync(cancellationToken), logs.StopAsync(cancellationToken), ticker.StopAsync(cancellationToken), timers.StopAsync(cancellationToken),
            rescuer.StopAsync(cancellationToken), retention.StopAsync(cancellationToken), limitLoop.StopAsync(cancellationToken));
    }
}
