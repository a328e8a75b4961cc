using System.Globalization;
using System.Text.Json;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What the pages show, as lines for a terminal or as JSON.</summary>
internal sealed class JobsView(
    OverviewReader overview, RunSearcher searcher, RunDetailsReader runs, ScheduleActions schedule, JobSchedules schedules, JobRevocations revocations, AuditReader audit, WarningReader warnings, KnownNames names, BulkActions bulks,
    LimitReader limits)
{
    public TextWriter Output { get; set; } = TextWriter.Null;

    public bool Json { get; set; }

    /// <exception cref="KeelbackException">KB1703, KB1704: there is no such queue or kind. KB1723, KB1724: no search can be made of the text.</exception>
    public async Task<int> ListAsync(RunSearch search, int limit, CancellationToken ct)
    {
        await names.CheckAsync(search, ct);
        var page = await searcher.FindAsync(search, limit, ct);
        if (Json) return Write(ApiShapes.Runs(page));

        Table(["RUN", "STATE", "KIND", "QUEUE", "ATTEMPT", "ENQUEUED", "ERROR"], page.Runs.Select(r => new[]
        {
            Show.Id(r.Id), Show.Word(r.State), r.Kind, r.Queue, $"{r.Attempt}/{r.MaxAttempts}", Ago(r.EnqueuedAt, page.Now), FirstLine(r.Error),
        }));
        if (page.Next is { } next) Output.WriteLine($"More: --before {Show.Id(next)}");
        var lag = page.Now - page.CopiedUpTo;
        if (lag > TimeSpan.FromSeconds(5)) Output.WriteLine($"The search is {Show.Span(lag)} behind.");
        return 0;
    }

    /// <exception cref="KeelbackException">KB1218: there is no such run.</exception>
    public async Task<int> ShowAsync(long id, CancellationToken ct)
    {
        var run = await runs.WholeAsync(id, ct) ?? throw JobErrors.NoSuchRun(id);
        if (Json) return Write(ApiShapes.Run(run));

        Table(null, new (string Name, string? Value)[]
        {
            ("run", Show.Id(run.Id)), ("kind", run.Kind), ("state", Show.Word(run.State)), ("queue", $"{run.Queue}, priority {run.Priority}"),
            ("attempt", $"{run.Attempt} of {run.MaxAttempts}"), ("enqueued", Show.Full(run.EnqueuedAt)), ("started", Full(run.StartedAt)),
            ("ended", Full(run.FinishedAt)), ("next attempt", run.HasEnded ? null : Full(run.RetryAt)), ("worker", run.Worker),
            ("tags", run.Tags.Length == 0 ? null : string.Join(", ", run.Tags)), ("error", run.Error is { } e ? $"{e.Type}: {e.Message}" : null),
        }.Where(f => f.Value is not null).Select(f => new[] { f.Name, f.Value! }));
        Say($"\narguments\n{run.Input}");
        if (run.Output is not null) Say($"\nresult\n{run.Output}");
        foreach (var attempt in run.Attempts)
            Say($"\nattempt {attempt.Number} {Show.Words(attempt.Outcome)} {Show.Full(attempt.EndedAt)}\n{attempt.Error?.Details ?? attempt.Error?.Message}");
        return 0;
    }

    /// <summary>How far an action over a whole search is.</summary>
    /// <exception cref="KeelbackException">KB1721: there is none.</exception>
    public async Task<int> BulkAsync(long id, CancellationToken ct)
    {
        var bulk = await bulks.LookAsync(id, ct);
        if (Json) return Write(ApiShapes.Bulk(bulk));

        Table(null,
        [
            ["bulk", Show.Id(bulk.Id)], ["does", $"{bulk.Action} all of {string.Join(", ", bulk.Search.Facts().Select(f => $"{f.Name.ToLowerInvariant()} {f.Value}"))}"],
            ["begun", $"{Show.Full(bulk.At)} by {bulk.Who}"], ["done", Show.Count(bulk.Done)], ["left as they were", Show.Count(bulk.Refused)],
            ["ended", bulk.EndedAt is { } end ? $"{Show.Full(end)}, {bulk.Outcome}" : "not yet"],
        ]);
        return 0;
    }

    public async Task<int> QueuesAsync(CancellationToken ct)
    {
        var look = await overview.ReadAsync(FigureRange.Hour, ct);
        if (Json) return Write(look.Queues.Select(q => ApiShapes.Queue(q, look)));

        Table(["QUEUE", "READY", "OLDEST", "RUNNING", "OPEN", "DONE 1H", "FAILED 1H", ""], look.Queues.Select(q =>
        {
            var sums = Overview.Sum(look.Figures.Where(f => f.Queue == q.Id));
            return new[]
            {
                q.Name, Show.Bounded(q.Ready), q.OldestAt is { } at ? Show.Span(look.Now - at) : "-", Show.Count(q.Running), Show.Count(q.Open),
                Show.Count(sums.Succeeded), Show.Count(sums.Failed), q.Paused ? "paused" : "",
            };
        }));
        return 0;
    }

    public async Task<int> WorkersAsync(CancellationToken ct)
    {
        var look = await overview.ReadAsync(FigureRange.Hour, ct);
        if (Json) return Write(look.Workers.Select(w => ApiShapes.Worker(w, look.Now)));

        Table(["WORKER", "NAME", "QUEUES", "SLOTS", "STATE", "UP", "RUNS NOW"], look.Workers.Select(w => new[]
        {
            w.Id.ToString(CultureInfo.InvariantCulture), w.Name, w.Queues.Length == 0 ? "all" : string.Join(",", w.Queues),
            $"{w.Busy.ToString(CultureInfo.InvariantCulture)}/{w.Concurrency.ToString(CultureInfo.InvariantCulture)}", w.Report.IsStopping ? "stopping" : w.Report.IsPaused ? "paused" : "works", Show.Span(look.Now - w.StartedAt),
            string.Join(", ", w.Running.Take(5).Select(a => $"{a.Kind} {Show.Id(a.RunId)} {Show.Span(look.Now - a.StartedAt)}")),
        }));
        return 0;
    }

    public async Task<int> SchedulesAsync(CancellationToken ct)
    {
        var (all, now) = (await schedules.ListAsync(ct), await overview.NowAsync(ct));
        if (Json) return Write(all.Select(s => ApiShapes.Schedule(s, now)));

        Table(["SCHEDULE", "STATE", "WHEN", "ENQUEUES", "NEXT", "LAST", "RUNS"], all.Select(s => new[]
        {
            s.Name, s.State.ToString().ToLowerInvariant(), s.Trigger.ToString(), string.Join(",", s.Kinds), Full(s.Next) ?? "-", Full(s.Last) ?? "-", Show.Count(s.Runs),
        }));
        return 0;
    }

    /// <exception cref="KeelbackException">KB1715: there is no such schedule.</exception>
    public async Task<int> ScheduleAsync(string name, int limit, CancellationToken ct)
    {
        var ((found, history), now) = (await schedule.FindAsync(name, limit, ct), await overview.NowAsync(ct));
        if (Json) return Write(new { schedule = ApiShapes.Schedule(found, now), ticks = history.Select(ApiShapes.Tick) });

        Say($"{found.Name}: {found.Trigger}, {found.State.ToString().ToLowerInvariant()}");
        if (found.State == JobScheduleState.Active)
            foreach (var tick in found.TicksAfter(now).Take(5)) Output.WriteLine($"next {tick:yyyy-MM-dd HH:mm:ss zzz}");
        Table(null, history.Select(t => new[] { $"was  {t.At:yyyy-MM-dd HH:mm:ss zzz}", Show.Words(t.Outcome), t.Run is { } run ? $"run {Show.Id(run)}" : "", FirstLine(t.Error) }));
        return 0;
    }

    public async Task<int> RevocationsAsync(CancellationToken ct)
    {
        var all = await revocations.ListAsync(ct);
        if (Json) return Write(all);

        if (all.Count == 0) Output.WriteLine("Nothing is revoked.");
        else Table(["WHAT", "NAME", "SINCE", "UNTIL", "WHY"], all.Select(r => new[] { r.Kind is null ? "tag" : "kind", r.Kind ?? r.Tag!, Show.Full(r.At), Full(r.Until) ?? "allowed", r.Reason ?? "" }));
        return 0;
    }

    public async Task<int> LimitsAsync(CancellationToken ct)
    {
        var (all, _) = await limits.AllAsync(ct);
        if (Json) return Write(all.Select(ApiShapes.Limit));

        if (all.Count == 0) Output.WriteLine("There is no limit yet.");
        else Table(["LIMIT", "NUMBERS", "SET", "BUSIEST KEY", "IN USE", "WAITING"], all.Select(l => new[]
        {
            l.Rule.Name, LimitNumbers.Words(l.Rule.Numbers), l.Rule.SetAt is { } at ? $"at run time, {Show.Full(at)}" : "in code",
            l.Keys.Count > 0 ? FirstLine(l.Keys[0].Key) : "-", l.Keys.Count > 0 ? Show.Bounded(l.Keys[0].InUse) : "-", l.Keys.Count > 0 ? Show.Bounded(l.Keys[0].Waiting) : "-",
        }));
        return 0;
    }

    /// <exception cref="KeelbackException">KB1730: there is no such limit.</exception>
    public async Task<int> LimitAsync(string name, CancellationToken ct)
    {
        var (limit, _) = await limits.FindAsync(name, ct);
        if (Json) return Write(ApiShapes.Limit(limit));

        Table(null, new (string Name, string? Value)[]
        {
            ("limit", limit.Rule.Name), ("numbers", LimitNumbers.Words(limit.Rule.Numbers)), ("set", limit.Rule.SetAt is { } at ? $"at run time, {Show.Full(at)}" : "in code"),
            ("in code", limit.Rule.SetAt is null ? null : limit.Rule.InCode is { } code ? LimitNumbers.Words(code) : "none"),
        }.Where(f => f.Value is not null).Select(f => new[] { f.Name, f.Value! }));
        if (limit.Keys.Count > 0) Output.WriteLine();
        if (limit.Keys.Count > 0)
            Table(["KEY", "IN USE", "WAITING", "MAY START", "OPENS"], limit.Keys.Select(k => new[]
            {
                k.Key, Show.Bounded(k.InUse), Show.Bounded(k.Waiting), Show.Count(k.MayStart), k.MayStart > 0 ? "now" : Full(k.OpensAt) ?? "when a slot is free",
            }));
        if (limit.Others > 0) Output.WriteLine($"{(limit.OthersAreMore ? "At least " : "")}{Show.Count(limit.Others)} more are in use.");
        else if (limit.OthersAreMore) Output.WriteLine("More keys are in use than were looked at.");
        return 0;
    }

    /// <param name="before">Rows with ids below: the next page.</param>
    /// <param name="limit">How many.</param>
    /// <param name="ct">Stops it.</param>
    public async Task<int> AuditAsync(long? before, int limit, CancellationToken ct)
    {
        var (lines, _) = await audit.ReadAsync(null, before, limit, ct);
        if (Json) return Write(ApiShapes.Audit(lines, limit));

        Table(["AT", "WHO", "VIA", "DID", "TO", "OUTCOME"], lines.Select(l => new[] { Show.Full(l.At), l.Who, l.Via, l.Action, l.Target, l.Outcome }));
        if (lines.Count == limit) Output.WriteLine($"More: --before {Show.Id(lines[^1].Id)}");
        return 0;
    }

    /// <summary>1 when there is one, so that a script can ask.</summary>
    public async Task<int> WarningsAsync(CancellationToken ct)
    {
        var now = await warnings.AllAsync(ct);
        if (Json) Write(ApiShapes.Health(now));
        else foreach (var warning in now) Say(warning.Text);
        if (!Json && now.Count == 0) Output.WriteLine("Nothing to warn of.");
        return now.Count == 0 ? 0 : 1;
    }

    private int Write(object answer)
    {
        Output.WriteLine(JsonSerializer.Serialize(answer, OpsJson.Options));
        return 0;
    }

    private void Table(string[]? head, IEnumerable<string[]> rows)
    {
        var all = (head is null ? rows : rows.Prepend(head)).Select(r => r.Select(TerminalText.Line).ToArray()).ToList();
        if (all.Count == 0) return;

        var widths = Enumerable.Range(0, all[0].Length).Select(i => all.Max(r => r[i].Length)).ToArray();
        foreach (var row in all) Output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    private void Say(string text) => Output.WriteLine(TerminalText.Lines(text));

    private static string FirstLine(string? text) => text?.Split('\n')[0] is { } line ? line.Length <= 80 ? line : line[..79] + "…" : "";

    private static string? Full(DateTimeOffset? at) => at is { } time ? Show.Full(time) : null;

    private static string Ago(DateTimeOffset at, DateTimeOffset now) => Show.Span(now - at) + " ago";
}
