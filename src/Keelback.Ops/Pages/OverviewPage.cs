namespace Keelback.Ops;

/// <summary>The first page: how things are now, and how they were lately.</summary>
internal static class OverviewPage
{
    public static Page Render(Overview look, Place place, Markup token) => new("Overview", "overview", Html.Of(
        $"""
        <div class="head"><h1>Jobs</h1>
        <p class="soft">Figures of {look.Range.Words}, {Show.Span(look.Lag)} behind.
        {Html.Each(FigureRange.All, r => Html.Of($"""<a class="pill" href="{place.Root}?range={r.Name}"{Current(r == look.Range)}>{r.Name}</a>"""))}</p></div>
        {Tiles(look, place)}
        <div class="charts">{Charts(look)}</div>
        <section><h2>Queues</h2>{Queues(look, place, token)}</section>
        <section><h2><a href="{place.Workers}">Workers</a></h2>{WorkersPage.Workers(look, place, default)}</section>
        <section><h2>Kinds, {look.Range.Words}</h2>{Kinds(look, place)}</section>
        """))
    { Live = 2000 };

    private static Markup Current(bool current) => current ? Html.Of($" aria-current=\"true\"") : Markup.Empty;

    private static Markup Tiles(Overview look, Place place)
    {
        var total = look.Total;
        var slots = look.Workers.Sum(w => w.Concurrency);
        var running = look.Workers.Sum(w => w.Busy);
        var seconds = Math.Max(1, Math.Min((look.Range.Step * look.Range.Bars).TotalSeconds, (look.Now - First(look)).TotalSeconds));
        return Html.Of(
            $"""
            <ul class="tiles">
            <li><a href="{place.Runs}?state=open"><b>{Show.Count(look.Queues.Sum(q => q.Open))}</b>open</a></li>
            <li><a href="{place.Runs}?state=running"><b>{Show.Count(running)}<small> / {Show.Count(slots)}</small></b>slots busy</a></li>
            <li><a href="{place.Runs}?state=succeeded"><b>{Show.Count(total.Succeeded)}</b>succeeded</a></li>
            <li class="{(total.Failed > 0 ? "bad" : "")}"><a href="{place.Runs}?state=failed"><b>{Show.Count(total.Failed)}</b>failed</a></li>
            <li><b>{total.Ended / seconds:0.##}<small> /s</small></b>rate</li>
            <li><b>{Show.Span(Figures.Quantile(total.Took, 0.5))}<small> · {Show.Span(Figures.Quantile(total.Took, 0.95))}</small></b>duration, p50 · p95</li>
            <li><b>{Show.Span(Figures.Quantile(total.Waited, 0.5))}<small> · {Show.Span(Figures.Quantile(total.Waited, 0.95))}</small></b>wait, p50 · p95</li>
            </ul>
            """);
    }

    private static DateTimeOffset First(Overview look) => look.Sums.Bars.Count == 0 ? look.Now : look.Sums.Bars.Keys.Min();

    private static Markup Charts(Overview look)
    {
        var last = look.Range.Floor(look.Now);
        var bars = Enumerable.Range(0, look.Range.Bars)
            .Select(i => last - look.Range.Step * (look.Range.Bars - 1 - i))
            .Select(at => (at, look.Sums.Bars.GetValueOrDefault(at) ?? new())).ToList();
        return Html.Of($"{Chart.Throughput(bars, look.Range)}{Chart.Latency(bars, look.Range)}");
    }

    private static Markup Queues(Overview look, Place place, Markup token)
    {
        if (look.Queues.Count == 0) return Html.Of($"""<p class="empty">No queue yet. One exists from its first job on.</p>""");

        var sums = look.Figures.ToLookup(f => f.Queue);
        return Html.Of(
            $"""
            <div class="scroll" id="queues" tabindex="0"><table>
            <thead><tr><th>Queue</th><th class="n">Ready</th><th class="n">Oldest</th><th class="n">Running</th><th class="n">Open</th><th class="n">Succeeded</th><th class="n">Failed</th><th class="n">Wait 95 %</th><th></th></tr></thead>
            <tbody>{Html.Each(look.Queues, q => Queue(q, Overview.Sum(sums[q.Id]), look.Now, place, token))}</tbody>
            </table></div>
            <p class="soft">{(look.Queues.Max(q => q.LookedAt) is { } at ? $"Ready, oldest and running as of {Show.Span(look.Now - at)} ago." : "Nobody has looked at the queues yet.")}</p>
            """);
    }

    private static Markup Queue(QueueLook queue, Figures sums, DateTimeOffset now, Place place, Markup token) => Html.Of(
        $"""
        <tr>
        <td><a href="{place.Runs}?queue={Uri.EscapeDataString(queue.Name)}">{queue.Name}</a>{Html.If(queue.Paused, () => Html.Of($""" <span class="state off"><svg class="ico" viewBox="0 0 12 12" aria-hidden="true"><path d="M4 2.5v7M8 2.5v7"/></svg>paused</span>"""))}</td>
        <td class="n">{Show.Bounded(queue.Ready)}</td>
        <td class="n">{(queue.OldestAt is { } oldest ? Show.Span(now - oldest) : "–")}</td>
        <td class="n">{Show.Count(queue.Running)}{Html.If(queue.Slots is not null, () => Html.Of($"<small> / {queue.Slots!.Value}</small>"))}</td>
        <td class="n">{Show.Count(queue.Open)}</td>
        <td class="n">{Show.Count(sums.Succeeded)}</td>
        <td class="n{(sums.Failed > 0 ? " bad" : "")}">{Show.Count(sums.Failed)}</td>
        <td class="n">{Show.Span(Figures.Quantile(sums.Waited, 0.95))}</td>
        <td class="act">{Buttons(queue, $"{place.Root}/queues/{Uri.EscapeDataString(queue.Name)}", token)}</td>
        </tr>
        """);

    private static Markup Buttons(QueueLook queue, string path, Markup token) => token.IsEmpty ? Markup.Empty : Html.Of(
        $"""
        <span class="row"><details id="slots-{queue.Id}"><summary>Slots</summary>
        <form class="row" method="post" action="{path}/slots">{token}<input name="slots" size="4" inputmode="numeric" value="{(queue.Slots is { } n ? Show.Id(n) : "")}" placeholder="no limit" aria-label="How many of {queue.Name} run at once, over all workers"><button>Set</button></form></details>
        <form method="post" action="{path}/{(queue.Paused ? "resume" : "pause")}">{token}<button>{(queue.Paused ? "Resume" : "Pause")}</button></form></span>
        """);

    private static Markup Kinds(Overview look, Place place)
    {
        var kinds = look.Figures.GroupBy(f => f.Kind).Select(g => (Kind: g.Key, Sums: Overview.Sum(g)))
            .OrderByDescending(k => k.Sums.Failed).ThenByDescending(k => k.Sums.Ended).Take(50).ToList();
        if (kinds.Count == 0) return Html.Of($"""<p class="empty">Nothing was enqueued, and nothing ended, in {look.Range.Words}.</p>""");

        return Html.Of(
            $"""
            <div class="scroll" id="kinds" tabindex="0"><table>
            <thead><tr><th>Kind</th><th class="n">Enqueued</th><th class="n">Succeeded</th><th class="n">Failed</th><th class="n">Retries</th><th class="n">Median</th><th class="n">95 %</th><th class="n">Wait 95 %</th></tr></thead>
            <tbody>{Html.Each(kinds, k => Html.Of(
                $"""
                <tr><td><a href="{place.Runs}?kind={Uri.EscapeDataString(k.Kind)}">{k.Kind}</a></td><td class="n">{Show.Count(k.Sums.Enqueued)}</td><td class="n">{Show.Count(k.Sums.Succeeded)}</td>
                <td class="n{(k.Sums.Failed > 0 ? " bad" : "")}">{Show.Count(k.Sums.Failed)}</td><td class="n">{Show.Count(k.Sums.Retries)}</td>
                <td class="n">{Show.Span(Figures.Quantile(k.Sums.Took, 0.5))}</td><td class="n">{Show.Span(Figures.Quantile(k.Sums.Took, 0.95))}</td><td class="n">{Show.Span(Figures.Quantile(k.Sums.Waited, 0.95))}</td></tr>

                """))}</tbody>
            </table></div>
            """);
    }
}
