namespace Keelback.Ops;

/// <summary>How far an action over a whole search is.</summary>
internal static class BulkPage
{
    public static Page Render(BulkLook bulk, Place place) => new($"{bulk.Action} all", "runs", Html.Of(
        $"""
        <div class="head"><h1>{bulk.Action} all</h1><p class="soft">Begun by {bulk.Who} {Show.Time(bulk.At, bulk.Now)}, over <a href="{place.Runs}{bulk.Search.Query()}">this search</a>.</p></div>
        <ul class="tiles">
        <li><b>{Show.Count(bulk.Done)}</b>done</li>
        <li><b>{Show.Count(bulk.Refused)}</b>left as they were</li>
        <li><b>{(bulk.EndedAt is null ? "at work" : "ended")}</b>{(bulk.EndedAt is { } end ? Html.Of($"after {Show.Span(end - bulk.At)}") : Html.Of($"a worker goes on with it in the background"))}</li>
        </ul>
        """))
    { Live = bulk.EndedAt is null ? 1000 : 0 };
}
