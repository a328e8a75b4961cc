namespace Keelback.Ops;

/// <summary>How far an action over a whole search is.</summary>
internal static class BulkPage
{
    public static Page Confirm(string action, RunSearch search, BulkSize size, Place place, Markup token) => new($"{Show.Capital(action)} all", "runs", Html.Of(
        $"""
        <div class="head"><p class="soft"><a href="{place.Runs}{search.Query()}">Runs</a></p><h1>{Show.Capital(action)} all?</h1></div>
        <section><h2>What the search says</h2><dl>{Html.Each(search.Facts(), f => Html.Of($"<dt>{f.Name}</dt><dd>{f.Value}</dd>"))}</dl></section>
        <section><h2>What it finds</h2>
        <p><b>{size.Words}</b>, {(size.IsMore ? "of those counted " : "")}<b>{Show.Count(size.Suited)}</b> in a state in which there is something to {action}. The others are left as they are.</p>
        <p class="soft">Runs that are enqueued from now on are not touched. It is done in the background, run by run.</p>
        <form method="post" action="{place.Root}/bulk{search.Query()}">{token}<input type="hidden" name="action" value="{action}">
        <div class="buttons"><button class="{(action == "cancel" ? "danger" : "main")}">{Show.Capital(action)} {size.Words}</button> <a class="button" href="{place.Runs}{search.Query()}">Leave them</a></div></form></section>
        """));

    public static Page Render(BulkLook bulk, Place place, Markup token) => new($"{Show.Capital(bulk.Action)} all", "runs", Html.Of(
        $"""
        <div class="head"><h1>{Show.Capital(bulk.Action)} all</h1><p class="soft">Begun by {bulk.Who} {Show.Time(bulk.At, bulk.Now)}, over <a href="{place.Runs}{bulk.Search.Query()}">this search</a>.</p></div>
        <ul class="tiles">
        <li><b>{Show.Count(bulk.Done)}</b>done</li>
        <li><b>{Show.Count(bulk.Refused)}</b>left as they were</li>
        <li><b>{(bulk.EndedAt is null ? "At work" : "Ended")}</b>{(bulk.EndedAt is { } end ? Html.Of($"after {Show.Span(end - bulk.At)}") : Html.Of($"in the background"))}</li>
        </ul>
        {(bulk.EndedAt is null
            ? token.IsEmpty ? Markup.Empty : Html.Of($"""<form method="post" action="{place.Bulk(bulk.Id)}/stop">{token}<div class="buttons"><button class="danger">Stop</button></div></form>""")
            : bulk.Outcome is { } outcome && outcome != "done" ? Html.Of($"""<p>{outcome}</p>""") : Markup.Empty)}
        """))
    { Live = bulk.EndedAt is null ? 1000 : 0 };
}
