using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What can be done to a queue, each in the audit.</summary>
internal sealed class QueueActions(JobQueues queues, QueueCatalog catalog, AuditWriter audit)
{
    /// <summary>From now on no run of it is claimed, by any worker; or claimed again. What runs goes on.</summary>
    /// <exception cref="KeelbackException">KB1703: there is no such queue.</exception>
    public Task<ActionResult> PauseAsync(string name, bool paused, Actor actor, CancellationToken ct) =>
        OnQueueAsync(name, paused ? "pause" : "resume", actor, async queue =>
        {
            if (paused) await queues.PauseAsync(name, ct);
            else await queues.ResumeAsync(name, ct);
            return queue.IsPaused == paused
                ? new(false, paused ? "was paused already" : "was not paused")
                : new(true, paused ? "paused" : "resumed");
        }, ct);

    /// <summary>How many of it run at once, over all workers; null: no limit of its own.</summary>
    /// <exception cref="KeelbackException">KB1703: there is no such queue. KB1229: fewer than one slot.</exception>
    public Task<ActionResult> SetSlotsAsync(string name, int? slots, Actor actor, CancellationToken ct) =>
        OnQueueAsync(name, "set slots", actor, async _ =>
        {
            await queues.SetSlotsAsync(name, slots, ct);
            var now = slots is { } n ? Show.Id(n) : "null";
            return new(true, slots is null ? "no limit" : $"{now} at once", $$"""{"slots": {{now}}}""");
        }, ct);

    private async Task<ActionResult> OnQueueAsync(string name, string action, Actor actor, Func<QueueState, Task<ActionResult>> act, CancellationToken ct)
    {
        var all = await catalog.AllAsync(ct);
        var queue = all.FirstOrDefault(q => q.Name == name) ?? throw OpsErrors.NoSuchQueue(name, all.Select(q => q.Name));
        var before = $$"""{"paused": {{(queue.IsPaused ? "true" : "false")}}, "slots": {{(queue.Slots is { } n ? Show.Id(n) : "null")}}}""";
        return await audit.AuditAsync(actor, action, $"queue {name}", before, () => act(queue), ct);
    }
}
