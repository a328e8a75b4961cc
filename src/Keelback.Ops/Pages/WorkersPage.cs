using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>The live workers, orders to them, and what may not run.</summary>
internal static class WorkersPage
{
    private const int MostShown = 8; // of what one runs

    public static Page Render(Overview look, IReadOnlyList<JobRevocation> revoked, IReadOnlyList<string> kinds, Place place, Markup token) => new("Workers", "workers", Html.Of(
        $"""
        <div class="head"><h1>Workers</h1></div>
        <section><h2>Alive</h2>{Workers(look, place, token)}</section>
        <section><h2>What may not run</h2>{Revocations(revoked, look.Now, place, token)}{Revoke(kinds, place, token)}</section>
        """))
    { Live = 2000 };

    public static Markup Workers(Overview look, Place place, Markup token)
    {
        if (look.Workers.Count == 0)
            return Html.Of($"""<p class="empty">No worker is alive: jobs wait until one starts. <code>dotnet run -- worker</code> is one; the web process is another unless <code>Keelback:Jobs:RunWorker</code> is false.</p>""");

        return Html.Of(
            $"""
            <div class="scroll" id="workers" tabindex="0"><table>
            <thead><tr><th>Worker</th><th>Queues</th><th class="n">Running</th><th class="n">Ended</th><th class="n">Memory</th><th class="n">Up</th><th class="n">Lease</th><th>Runs now</th>{Html.If(!token.IsEmpty, () => Html.Of($"<th></th>"))}</tr></thead>
            <tbody>{Html.Each(look.Workers, w => Worker(w, look.Now, place, token))}</tbody>
            </table></div>
            {Html.If(!token.IsEmpty && look.Workers.Count > 1, () => Html.Of($"""<div class="buttons">{Button("all", "pause", "Pause all", place, token)}{Button("all", "resume", "Resume all", place, token)}</div>"""))}
            """);
    }

    private static Markup Worker(WorkerLook worker, DateTimeOffset now, Place place, Markup token) => Html.Of(
        $"""
        <tr>
        <td>{worker.Name} <small title="{worker.Report.Version}">#{worker.Id}{Html.If(worker.Report.Version is not null, () => Html.Of($" · {worker.Report.Version!.Split('+')[0]}"))}</small>{Mark(worker.Report)}</td>
        <td>{(worker.Queues.Length == 0 ? "all" : string.Join(", ", worker.Queues))}</td>
        <td class="n">{worker.Busy}<small> / {worker.Report.Slots}{Html.If(worker.Report.Slots != worker.Report.Concurrency, () => Html.Of($" of {worker.Report.Concurrency}"))}</small></td>
        <td class="n">{Show.Count(worker.Report.Ended)}</td>
        <td class="n">{Show.Bytes(worker.Report.Memory)}</td>
        <td class="n">{Show.Span(now - worker.StartedAt)}</td>
        <td class="n{(worker.LeaseUntil <= now ? " bad" : "")}">{(worker.LeaseUntil <= now ? "ended" : Show.Span(worker.LeaseUntil - now))}</td>
        <td class="wrap">{Html.Each(worker.Running.Take(MostShown), a => Html.Of($"""<a class="chip" href="{place.Run(a.RunId)}">{a.Kind} <small>{Show.Span(now - a.StartedAt)}</small></a>"""))}
        {Html.If(worker.Busy > MostShown, () => Html.Of($"""<small>and {worker.Busy - Math.Min(worker.Running.Count, MostShown)} more</small>"""))}</td>
        {Html.If(!token.IsEmpty, () => Html.Of($"""<td class="act">{Orders(worker, place, token)}</td>"""))}
        </tr>
        """);

    private static Markup Mark(WorkerReport report)
    {
        if (report.IsStopping) return Html.Of($""" <span class="state off">stopping</span>""");
        if (report.IsPaused) return Html.Of($""" <span class="state wait"><svg class="ico" viewBox="0 0 12 12" aria-hidden="true"><path d="M4 2.5v7M8 2.5v7"/></svg>paused</span>""");
        return report.Abandoned == 0 ? Markup.Empty : Html.Of($""" <span class="state bad">{report.Abandoned} abandoned</span>""");
    }

    private static Markup Orders(WorkerLook worker, Place place, Markup token)
    {
        var id = Show.Id(worker.Id);
        return Html.Of(
            $"""
            <span class="row">{(worker.Report.IsPaused ? Button(id, "resume", "Resume", place, token) : Button(id, "pause", "Pause", place, token))}
            <details id="orders-{worker.Id}"><summary>More</summary>
            <form class="row" method="post" action="{place.Workers}/{id}/scale">{token}<input name="concurrency" size="4" inputmode="numeric" value="{worker.Report.Concurrency}" aria-label="How many jobs {worker.Name} runs at once"><button>Scale</button></form>
            <div class="row">{Button(id, "stop", "Stop", place, token)}{Button(id, "stop-now", "Stop now", place, token)}</div></details></span>
            """);
    }

    private static Markup Button(string worker, string action, string word, Place place, Markup token) =>
        Html.Of($"""<form method="post" action="{place.Workers}/{worker}/{action}">{token}<button class="{(action.StartsWith("stop", StringComparison.Ordinal) ? "danger" : "")}">{word}</button></form>""");

    private static Markup Revocations(IReadOnlyList<JobRevocation> revoked, DateTimeOffset now, Place place, Markup token) => revoked.Count == 0
        ? Html.Of($"""<p class="empty">Everything may. A kind or a tag that is revoked starts no run any more, on workers that start later too.</p>""")
        : Html.Of(
            $"""
            <div class="scroll" id="revoked" tabindex="0"><table><thead><tr><th>What</th><th>Since</th><th>Until</th><th>Why</th><th></th></tr></thead>
            <tbody>{Html.Each(revoked, r => Html.Of(
                $"""
                <tr><td>{(r.Kind is not null ? "kind" : "tag")} <a href="{place.Runs}?{(r.Kind is not null ? "kind" : "tag")}={Uri.EscapeDataString(r.Kind ?? r.Tag!)}">{r.Kind ?? r.Tag}</a></td><td>{Show.Time(r.At, now)}</td>
                <td>{(r.Until is null ? Html.Of($"it is allowed again") : Show.Time(r.Until, now))}</td><td class="clip">{r.Reason}</td>
                <td class="act">{Html.If(!token.IsEmpty, () => Html.Of($"""<form method="post" action="{place.Root}/revocations/allow">{token}<input type="hidden" name="what" value="{(r.Kind is not null ? "kind" : "tag")}"><input type="hidden" name="value" value="{r.Kind ?? r.Tag}"><button>Allow again</button></form>"""))}</td></tr>

                """))}</tbody></table></div>
            """);

    private static Markup Revoke(IReadOnlyList<string> kinds, Place place, Markup token) => token.IsEmpty ? Markup.Empty : Html.Of(
        $"""
        <details id="revoke"><summary>Revoke a kind or a tag</summary>
        <form class="search plain" method="post" action="{place.Root}/revocations">{token}
        <label>What<select name="what"><option>kind</option><option>tag</option></select></label>
        <label>Its name<input name="value" list="kinds" autocomplete="off" required></label>
        <datalist id="kinds">{Html.Each(kinds, k => Html.Of($"""<option value="{k}">"""))}</datalist>
        <label>For how long<input name="lasting" placeholder="for good; or 2h, 7d" autocomplete="off"></label>
        <label class="wide">Why<input name="reason" autocomplete="off"></label>
        <label>A kind that nobody knows<select name="unknown"><option value="">is a mistake</option><option value="true">is still to come</option></select></label>
        <button class="danger">Revoke</button></form>
        <p class="soft">Runs that wait end as cancelled when a worker takes them; what runs goes on. A single run is cancelled on its page.</p></details>
        """);
}
