using System.Globalization;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What can be asked of a worker, by its id or its name, or of <c>all</c>; each in the audit.</summary>
internal sealed class WorkerActions(JobWorkers workers, AuditWriter audit)
{
    public const string All = "all";

    /// <summary>What is asked by a name in an address and nothing else.</summary>
    public static readonly IReadOnlyList<(string Name, Func<WorkerActions, string, Actor, CancellationToken, Task<ActionResult>> Act)> Named =
    [
        ("pause", (a, worker, who, ct) => a.PauseAsync(worker, true, who, ct)), ("resume", (a, worker, who, ct) => a.PauseAsync(worker, false, who, ct)),
        ("stop", (a, worker, who, ct) => a.StopAsync(worker, false, who, ct)), ("stop-now", (a, worker, who, ct) => a.StopAsync(worker, true, who, ct)),
    ];

    /// <exception cref="KeelbackException">KB1714: there is no such worker.</exception>
    public Task<ActionResult> PauseAsync(string worker, bool paused, Actor actor, CancellationToken ct) =>
        AskAsync(worker, paused ? "pause" : "resume", paused ? "asked to pause" : "asked to resume", actor,
            id => paused ? workers.PauseAsync(id, ct) : workers.ResumeAsync(id, ct), ct);

    /// <summary>How many jobs it runs at once; null: as it is configured.</summary>
    /// <exception cref="KeelbackException">KB1714: there is no such worker. KB1717: fewer than 1 job at once, or more than 1,000.</exception>
    public Task<ActionResult> ScaleAsync(string worker, int? concurrency, Actor actor, CancellationToken ct)
    {
        if (concurrency is < 1 or > 1000) throw OpsErrors.BadConcurrency(concurrency.Value.ToString(CultureInfo.InvariantCulture));
        return AskAsync(worker, "scale", concurrency is { } n ? $"asked for {n} at once" : "asked for as many as configured", actor, id => workers.ScaleAsync(concurrency, id, ct), ct);
    }

    /// <exception cref="KeelbackException">KB1714: there is no such worker.</exception>
    public Task<ActionResult> StopAsync(string worker, bool atOnce, Actor actor, CancellationToken ct) =>
        AskAsync(worker, atOnce ? "stop now" : "stop", "asked to stop", actor, id => workers.StopAsync(id, atOnce, ct), ct);

    private async Task<ActionResult> AskAsync(string worker, string action, string done, Actor actor, Func<int?, Task<bool>> ask, CancellationToken ct)
    {
        if (worker == All) return await audit.AuditAsync(actor, action, "all workers", null, async () => new(await ask(null), done), ct);

        var live = await workers.ListAsync(ct);
        var asked = live.FirstOrDefault(w => Show.Id(w.Id) == worker) ?? live.FirstOrDefault(w => w.Name == worker) ?? throw OpsErrors.NoSuchWorker(worker, live);
        return await audit.AuditAsync(actor, action, $"worker {Show.Id(asked.Id)}", $$"""{"concurrency": {{Show.Id(asked.Concurrency)}}, "paused": {{(asked.IsPaused ? "true" : "false")}}}""",
            async () => await ask(asked.Id) ? new(true, done) : throw OpsErrors.NoSuchWorker(worker, await workers.ListAsync(ct)), ct);
    }
}
