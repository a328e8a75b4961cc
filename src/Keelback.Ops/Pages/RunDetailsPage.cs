using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>All about one run.</summary>
internal static class RunDetailsPage
{
    public static Page Render(RunDetails run, IReadOnlyList<AuditLine> audit, Place place, Markup token) => new($"{run.Kind} {Show.Id(run.Id)}", "runs", Html.Of(
        $"""
        <div class="head"><p class="soft"><a href="{place.Runs}">Runs</a> / <a href="{place.Runs}?kind={Uri.EscapeDataString(run.Kind)}">{run.Kind}</a></p>
        <h1>{run.Kind} <small class="id">{Show.Id(run.Id)}</small></h1>
        <p>{Show.State(run.State)} {Html.Each(run.Tags, t => Html.Of($"""<a class="chip" href="{place.Runs}?tag={Uri.EscapeDataString(t)}">{t}</a>"""))}</p>
        {Buttons(run, place, token)}</div>
        <div class="two">
        <section><h2>Facts</h2><dl>{Facts(run, place)}</dl></section>
        <section><h2>Timeline</h2><ol class="timeline">{Html.Each(Timeline(run), e => Html.Of($"""<li class="{e.Tone}"><span>{Show.Time(e.At, run.Now)}</span> <span>{e.What}</span></li>"""))}</ol></section>
        </div>
        {Html.If(run.Error is not null, () => Html.Of($"<section><h2>Error</h2>{Failure(run.Error!, "error")}</section>"))}
        {Html.If(run.Progress is not null, () => Html.Of($"""<section><h2>Progress</h2><pre id="progress" tabindex="0"><code>{run.Progress}</code></pre></section>"""))}
        <section><h2>Arguments</h2><pre id="input" tabindex="0"><code>{run.Input}</code></pre>
        {Html.If(run.Bound.Length > 0, () => Html.Of($"""<p class="soft">From the results of the runs before it in the graph: {string.Join(", ", run.Bound)}. {Html.If(!token.IsEmpty, () => Html.Of($"""<a href="{place.Run(run.Id)}/edit">All of them together</a>"""))}</p>"""))}</section>
        {Html.If(run.Output is not null, () => Html.Of($"""<section><h2>Result</h2><pre id="output" tabindex="0"><code>{run.Output}</code></pre></section>"""))}
        {Html.If(run.Graph is not null, () => Html.Of($"<section><h2>Graph</h2>{GraphPicture.Render(run.Graph!, run.Id, place)}</section>"))}
        <section><h2>Attempts that did not succeed</h2>{Attempts(run)}</section>
        {Html.If(run.Log.Count > 0, () => Html.Of($"<section><h2>Log</h2>{LogLines(run)}</section>"))}
        {Html.If(audit.Count > 0, () => Html.Of($"<section><h2>Done by hand</h2>{AuditPage.Table(audit, run.Now, place)}</section>"))}
        """))
    { Live = run.HasEnded && run.Graph?.Nodes.All(n => n.State >= JobRunState.Succeeded) != false ? 0 : run.Graph?.Nodes.Count > 1000 ? 10_000 : 2000 };

    private static Markup Buttons(RunDetails run, Place place, Markup token)
    {
        if (token.IsEmpty) return Markup.Empty;

        Markup Button(string action, string word, string tone = "") =>
            Html.Of($"""<form method="post" action="{place.Run(run.Id)}/{action}">{token}<button class="{tone}">{word}</button></form>""");

        return Html.Of(
            $"""
            <div class="buttons">
            {Html.If(RunActions.CanRetry(run.State), () => Button("retry", "Retry", "main"))}
            {Html.If(run.Graph is not null && run.Graph.Nodes.Any(n => n.IsMember && RunActions.CanRetry(n.State)), () => Button("retry-graph", "Retry the graph"))}
            {Html.If(!run.HasEnded, () => Button("cancel", "Cancel", "danger"))}
            {Html.If(run.Graph is not null && run.Graph.Nodes.Any(n => n.IsMember && n.State < JobRunState.Succeeded), () => Button("cancel-graph", "Cancel the graph", "danger"))}
            <a class="button" href="{place.Run(run.Id)}/edit">Edit and enqueue anew</a>
            </div>
            """);
    }

    private static Markup Facts(RunDetails run, Place place)
    {
        var facts = new List<(string Name, Markup Value)>
        {
            ("Queue", Html.Of($"""<a href="{place.Runs}?queue={Uri.EscapeDataString(run.Queue)}">{run.Queue}</a>, priority {run.Priority}""")),
            ("Attempt", Html.Of($"{run.Attempt} of {run.MaxAttempts}")),
            ("Enqueued", Html.Of($"{Show.Full(run.EnqueuedAt)}")),
        };
        void Add(string name, bool present, Func<Markup> value)
        {
            if (present) facts.Add((name, value()));
        }

        Add("Not before", run.DueAt is not null, () => Html.Of($"{Show.Full(run.DueAt!.Value)}"));
        Add("Next attempt", !run.HasEnded && run.RetryAt > run.Now, () => Show.Time(run.RetryAt, run.Now));
        Add("Expires", run.ExpiresAt is not null, () => Html.Of($"{Show.Full(run.ExpiresAt!.Value)}"));
        Add("Started", run.StartedAt is not null, () => Html.Of($"{Show.Full(run.StartedAt!.Value)}"));
        Add("Ended", run.FinishedAt is not null, () => Html.Of($"{Show.Full(run.FinishedAt!.Value)}"));
        Add("Took", run is { StartedAt: not null, FinishedAt: not null }, () => Html.Of($"{Show.Span(run.FinishedAt!.Value - run.StartedAt!.Value)}"));
        Add("Worker", run.Worker is not null, () => Html.Of($"{run.Worker}"));
        Add("Time limit", run.Timeout is not null, () => Html.Of($"{Show.Span(run.Timeout!.Value)} an attempt"));
        Add("Waits for", run.WaitsFor is not null, () => Html.Of($"the limit {run.WaitsFor}"));
        Add("Tenant", run.Tenant is not null, () => Html.Of($"{run.Tenant}"));
        Add("Limits", run.Limits.Length > 0, () => Html.Of($"{string.Join(", ", run.Limits)}"));
        Add("Enqueued by", run.Parent is not null, () => Html.Of($"""run <a class="id" href="{place.Run(run.Parent!.Value)}">{Show.Id(run.Parent.Value)}</a>"""));
        Add("Graph of", run.Root is not null && run.Root != run.Id, () => Html.Of($"""run <a class="id" href="{place.Run(run.Root!.Value)}">{Show.Id(run.Root.Value)}</a>"""));
        Add("Replaced by", run.ReplacedBy is not null, () => Html.Of($"""run <a class="id" href="{place.Run(run.ReplacedBy!.Value)}">{Show.Id(run.ReplacedBy.Value)}</a>, whose end is its own"""));
        Add("Trace", run.Trace is not null, () => Html.Of($"""<code class="id">{run.Trace}</code>"""));
        return Html.Each(facts, f => Html.Of($"<dt>{f.Name}</dt><dd>{f.Value}</dd>"));
    }

    private static IEnumerable<(DateTimeOffset At, string What, string Tone)> Timeline(RunDetails run)
    {
        var events = new List<(DateTimeOffset At, string What, string Tone)> { (run.EnqueuedAt, "enqueued", "") };
        if (run.DueAt is { } due && due > run.EnqueuedAt) events.Add((due, due > run.Now ? "may start" : "could start", ""));
        foreach (var attempt in run.Attempts)
        {
            events.Add((attempt.StartedAt, $"attempt {attempt.Number} started", "live"));
            events.Add((attempt.EndedAt, $"attempt {attempt.Number} {Show.Words(attempt.Outcome)} after {Show.Span(attempt.EndedAt - attempt.StartedAt)}", "bad"));
        }

        if (run.StartedAt is { } started && run.Attempts.All(a => a.StartedAt != started)) events.Add((started, $"attempt {run.Attempt} started", "live"));
        if (!run.HasEnded && run.RetryAt is { } retry && retry > run.Now) events.Add((retry, $"attempt {run.Attempt + 1} may start", ""));

        // Last, whatever the clocks say: an attempt's end is noted a moment after its run's.
        var inOrder = events.OrderBy(e => e.At);
        return run.FinishedAt is not { } end ? inOrder
            : inOrder.Append((end, Show.Word(run.State), run.State == JobRunState.Succeeded ? "good" : run.State is JobRunState.Failed or JobRunState.Quarantined or JobRunState.UpstreamFailed ? "bad" : "off"));
    }

    private static Markup Attempts(RunDetails run)
    {
        if (run.Attempts.Count == 0) return Html.Of($"""<p class="empty">None.</p>""");

        return Html.Each(run.Attempts, a => Html.Of(
            $"""
            <details class="attempt" id="attempt{a.Number}"><summary><b>{a.Number}</b> {Show.Words(a.Outcome)} {Show.Time(a.EndedAt, run.Now)}, after {Show.Span(a.EndedAt - a.StartedAt)}{Html.If(a.RetryAt is not null, () => Html.Of($"; next {Show.Time(a.RetryAt, run.Now)}"))}
            <span class="soft">{a.Error?.Message}</span></summary>
            {(a.Error is null ? Html.Of($"""<p class="soft">Its worker died or lost its lease, and left no error.</p>""") : Failure(a.Error, $"stack{Show.Id(a.Number)}"))}
            </details>
            """));
    }

    private static Markup Failure(JobError error, string id) => Html.Of(
        $"""
        <p class="failure"><b>{error.Type}</b> {error.Message}</p>
        {Html.If(error.Details is not null, () => Html.Of($"""<pre id="{id}" tabindex="0"><code>{error.Details}</code></pre>"""))}
        """);

    private static Markup LogLines(RunDetails run) => Html.Of(
        $"""
        <div class="scroll" id="log" tabindex="0"><table class="log"><thead><tr><th>Time (UTC)</th><th class="n">Attempt</th><th>Level</th><th>Line</th></tr></thead>
        <tbody>{Html.Each(run.Log, l => Html.Of($"""<tr class="{Level(l)}"><td>{l.At.UtcDateTime:HH:mm:ss.fff}</td><td class="n">{l.Attempt}</td><td>{Level(l)}</td><td class="wrap" title="{l.Category}">{l.Message}</td></tr>"""))}</tbody></table></div>
        """);

    private static string Level(RunLogLine line) => line.Level.ToString().ToLowerInvariant();
}
