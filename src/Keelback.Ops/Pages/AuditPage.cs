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
            <tr><td>{Show.Time(l.At, now)}</td><td>{l.Who}</td><td>{l.Via}</td><td>{l.Action}</td><td>{Target(l, place)}</td><td>{l.Outcome}</td>
            <td class="clip">{l.Before}{Html.If(l.After is not null, () => Html.Of($" → {l.After}"))}</td></tr>

            """))}</tbody></table></div>
        """);

    private static Markup Target(AuditLine line, Place place) => line.Target.StartsWith("run ", StringComparison.Ordinal) && long.TryParse(line.Target.AsSpan(4), out var id)
        ? Html.Of($"""run <a class="id" href="{place.Run(id)}">{Show.Id(id)}</a>""")
        : Html.Of($"{line.Target}");
}
