using System.Text.Json;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What the API and <c>--json</c> answer: the pages' content as JSON.</summary>
/// <remarks>Ids of runs, audit rows and bulks are strings: they are over 2^53, and JavaScript and jq would round them.</remarks>
internal static class ApiShapes
{
    public static object Overview(Overview look) => new
    {
        now = look.Now,
        lagSeconds = look.Lag.TotalSeconds,
        range = look.Range.Name,
        totals = Figures(look.Total),
        queues = look.Queues.Select(q => Queue(q, look)),
        workers = look.Workers.Select(w => Worker(w, look.Now)),
        kinds = look.Figures.GroupBy(f => f.Kind).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new { kind = g.Key, figures = Figures(Keelback.Ops.Overview.Sum(g)) }),
    };

    public static object Queue(QueueLook queue, Overview look) => new
    {
        name = queue.Name,
        paused = queue.Paused,
        slots = queue.Slots,
        open = queue.Open,
        ready = Math.Min(queue.Ready, 1000),
        readyIsMore = queue.Ready > 1000,
        oldestReadySeconds = queue.OldestAt is { } at ? Math.Max(0, (look.Now - at).TotalSeconds) : (double?)null,
        running = queue.Running,
        lookedAt = queue.LookedAt,
        figures = Figures(Keelback.Ops.Overview.Sum(look.Figures.Where(f => f.Queue == queue.Id))),
    };

    public static object Worker(WorkerLook worker, DateTimeOffset now) => new
    {
        id = worker.Id,
        epoch = worker.Epoch,
        name = worker.Name,
        queues = worker.Queues,
        startedAt = worker.StartedAt,
        leaseUntil = worker.LeaseUntil,
        concurrency = worker.Report.Concurrency,
        slots = worker.Report.Slots,
        paused = worker.Report.IsPaused,
        stopping = worker.Report.IsStopping,
        abandoned = worker.Report.Abandoned,
        ended = worker.Report.Ended,
        memoryBytes = worker.Report.Memory,
        version = worker.Report.Version,
        busy = worker.Busy,
        running = worker.Running.Select(a => new { run = Show.Id(a.RunId), kind = a.Kind, attempt = a.Number, startedAt = a.StartedAt, seconds = (now - a.StartedAt).TotalSeconds }),
    };

    public static object Runs(RunPage page) => new
    {
        now = page.Now,
        lagSeconds = Math.Max(0, (page.Now - page.CopiedUpTo).TotalSeconds),
        before = Id(page.Next),
        partial = page.Partial,
        runs = page.Runs.Select(Line),
    };

    public static object Line(RunLine run) => new
    {
        id = Show.Id(run.Id),
        kind = run.Kind,
        queue = run.Queue,
        state = run.State,
        attempt = run.Attempt,
        maxAttempts = run.MaxAttempts,
        enqueuedAt = run.EnqueuedAt,
        dueAt = run.DueAt,
        startedAt = run.StartedAt,
        finishedAt = run.FinishedAt,
        error = run.Error,
        tags = run.Tags,
        waitsFor = run.WaitsFor,
    };

    public static object Run(RunDetails run) => new
    {
        id = Show.Id(run.Id),
        kind = run.Kind,
        queue = run.Queue,
        state = run.State,
        priority = run.Priority,
        attempt = run.Attempt,
        maxAttempts = run.MaxAttempts,
        timeoutSeconds = run.Timeout?.TotalSeconds,
        enqueuedAt = run.EnqueuedAt,
        dueAt = run.DueAt,
        startedAt = run.StartedAt,
        finishedAt = run.FinishedAt,
        retryAt = run.HasEnded ? null : run.RetryAt,
        expiresAt = run.ExpiresAt,
        worker = run.Worker,
        tenant = run.Tenant,
        limits = run.Limits,
        waitsFor = run.WaitsFor,
        tags = run.Tags,
        root = Id(run.Root),
        parent = Id(run.Parent),
        replacedBy = Id(run.ReplacedBy),
        trace = run.Trace,
        input = Json(run.Input),
        fromResults = run.Bound,
        output = run.Output is null ? (JsonElement?)null : Json(run.Output),
        progress = run.Progress is null ? (JsonElement?)null : Json(run.Progress),
        error = run.Error,
        attempts = run.Attempts,
        log = run.Log,
        graph = run.Graph is null ? null : Graph(run.Graph),
    };

    public static object Done(ActionResult result) => new { done = result.Done, outcome = result.Outcome, after = result.After is null ? (JsonElement?)null : Json(result.After), run = Id(result.Run) };

    public static object Size(BulkSize size) => new { found = size.Found, suited = size.Suited, isMore = size.IsMore };

    public static object Bulk(BulkLook bulk) => new
    {
        id = Show.Id(bulk.Id),
        action = bulk.Action,
        search = bulk.Search,
        who = bulk.Who,
        at = bulk.At,
        done = bulk.Done,
        refused = bulk.Refused,
        endedAt = bulk.EndedAt,
        outcome = bulk.Outcome,
    };

    public static object Schedule(JobSchedule schedule, DateTimeOffset now) => new
    {
        name = schedule.Name,
        state = schedule.State,
        when = schedule.Trigger.ToString(),
        kinds = schedule.Kinds,
        next = schedule.State == JobScheduleState.Active ? schedule.TicksAfter(now).Take(5) : [],
        last = schedule.Last,
        lastRun = Id(schedule.LastRun),
        runs = schedule.Runs,
        fromCode = schedule.IsFromCode,
        changed = schedule.IsOverridden,
    };

    public static object Tick(JobTick tick) => new
    {
        at = tick.At,
        outcome = tick.Outcome,
        run = Id(tick.Run),
        decidedAt = tick.DecidedAt,
        until = tick.Until,
        count = tick.Count,
        error = tick.Error,
    };

    public static object Limit(LimitLook limit) => new
    {
        name = limit.Rule.Name,
        numbers = limit.Rule.Numbers,
        setAt = limit.Rule.SetAt,
        inCode = limit.Rule.InCode,
        keys = limit.Keys.Select(k => new
        {
            key = k.Key,
            inUse = Math.Min(k.InUse, 1000),
            inUseIsMore = k.InUse > 1000,
            waiting = Math.Min(k.Waiting, 1000),
            waitingIsMore = k.Waiting > 1000,
            mayStart = k.MayStart,
            opensAt = k.OpensAt,
        }),
        otherKeys = limit.Others,
        otherKeysAreMore = limit.OthersAreMore,
    };

    /// <param name="lines">The newest first.</param>
    /// <param name="asked">How many were: as many may mean that there are more.</param>
    public static object Audit(IReadOnlyList<AuditLine> lines, int asked) => new { audit = lines.Select(Audit), before = lines.Count == asked ? Show.Id(lines[^1].Id) : null };

    public static object Health(IReadOnlyList<Warning> warnings) => new { warnings };

    private static object Audit(AuditLine line) => new
    {
        id = Show.Id(line.Id),
        at = line.At,
        who = line.Who,
        via = line.Via,
        action = line.Action,
        target = line.Target,
        before = line.Before is null ? (JsonElement?)null : Json(line.Before),
        after = line.After is null ? (JsonElement?)null : Json(line.After),
        outcome = line.Outcome,
    };

    private static object Graph(JobGraph graph) => new
    {
        root = Show.Id(graph.Root),
        nodes = graph.Nodes.Select(n => new
        {
            id = Show.Id(n.Id),
            kind = n.Kind,
            queue = n.Queue,
            state = n.State,
            attempt = n.Attempt,
            enqueuedAt = n.EnqueuedAt,
            startedAt = n.StartedAt,
            finishedAt = n.FinishedAt,
            parent = Id(n.Parent),
            replacedBy = Id(n.ReplacedBy),
            isMember = n.IsMember,
        }),
        edges = graph.Edges.Select(e => new { up = Show.Id(e.Up), down = Show.Id(e.Down), rule = e.Rule, isDone = e.IsDone }),
    };

    private static object Figures(Figures sums) => new
    {
        enqueued = sums.Enqueued,
        succeeded = sums.Succeeded,
        failed = sums.Failed,
        cancelled = sums.Cancelled,
        other = sums.Other,
        retries = sums.Retries,
        durationMs = new { median = Ops.Figures.Quantile(sums.Took, 0.5), p95 = Ops.Figures.Quantile(sums.Took, 0.95) },
        waitMs = new { median = Ops.Figures.Quantile(sums.Waited, 0.5), p95 = Ops.Figures.Quantile(sums.Waited, 0.95) },
    };

    private static string? Id(long? id) => id is { } run ? Show.Id(run) : null;

    private static JsonElement Json(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
