namespace Keelback.Ops;

/// <summary>Who did what.</summary>
internal static class AuditPage
{
    public const int Size = 100;

    public static Page Render(IReadOnlyList<AuditLine> lines, DateTimeOffset now, Place place) => new("Audit", "audit", Html.Of(
        $"""
        <div class="head"><h1>Audit</h1><p class="soft">What was done by hand, on the pages, by the API or the command line. It outlives the runs that it speaks of.</p></div>
        {(lines.Count == 0 ? Html.Of($"""<p class="empty">Nothing was done by hand yet.</p>""") : Table(lines, now, place))}
        {Html.If(lines.Count == Size, () => Html.Of($"""<p class="more"><a href="{place.Root}/audit?before={lines[^1].Id}">Older →</a></p>"""))}
        """));

    public static Markup Table(IReadOnlyList<AuditLine> lines, DateTimeOffset now, Place place) => Html.Of(
        $"""
        <div class="scroll" id="audit" tabindex="0"><table>
        <thead><tr><th>When</th><th>Who</th><th>By</th><th>Did</th><th>To</th><th>Outcome</th><th>Before and after</th></tr></thead>
        <tbody>{Html.Each(lines, l => Html.Of(
            $"""
            <tr><td>{Show.Full(l.At)} <small>{Show.Time(l.At, now)}</small></td><td>{l.Who}</td><td>{l.Via}</td><td>{l.Action}</td><td>{Linked(l.Target, place)}</td><td class="wrap">{Linked(l.Outcome, place)}</td>
            <td>{Change(l)}</td></tr>

            """))}</tbody></table></div>
        """);

    private static Markup Change(AuditLine line) => line is { Before: null, After: null } ? Html.Of($"–") : Html.Of(
        $"""
        <details id="audit{line.Id}"><summary>Before and after</summary>
        <pre><code>{line.Before}{Html.If(line.After is not null, () => Html.Of($"\n→ {line.After}"))}</code></pre></details>
        """);

    private static Markup Linked(string text, Place place) => AuditTarget.Read(text) is { } target
        ? Html.Of($"""{target.Word} <a class="id" href="{(target.Word == "bulk" ? place.Bulk(target.Id) : place.Run(target.Id))}">{Show.Id(target.Id)}</a>""")
        : Html.Of($"{text}");
}
