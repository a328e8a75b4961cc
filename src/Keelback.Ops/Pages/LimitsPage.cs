using System.Globalization;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>How much may run at once and how often, what waits for it, and how long a run may take.</summary>
internal static class LimitsPage
{
    public static Page Render(IReadOnlyList<LimitLook> limits, IEnumerable<JobKind> kinds, DateTimeOffset now, Place place, Markup token) => new("Limits", "limits", Html.Of(
        $"""
        <div class="head"><h1>Limits</h1></div>
        {Html.If(limits.Count == 0, () => Html.Of($"""<section><p class="empty">No limit yet. <code>[Limit("stripe", Slots = 5, PerSecond = 10)]</code> on a job makes one; so does <code>Keelback:Jobs:Limits</code>.</p></section>"""))}
        {Html.Each(limits, limit => One(limit, now, place, token))}
        <section><h2>Time limits of kinds</h2>{Times(kinds, place)}</section>
        """))
    { Live = 5000 };

    private static Markup One(LimitLook limit, DateTimeOffset now, Place place, Markup token) => Html.Of(
        $"""
        <section><h2>{limit.Rule.Name}</h2>
        <p>{LimitNumbers.Words(limit.Rule.Numbers)} <span class="soft">· {Origin(limit.Rule, now)}</span></p>
        {Keys(limit, now)}
        {Change(limit.Rule, place, token)}</section>
        """);

    private static Markup Origin(JobLimitRule rule, DateTimeOffset now) => (rule.SetAt, rule.InCode) switch
    {
        (null, _) => Html.Of($"as the code has it"),
        (_, null) => Html.Of($"set at run time {Show.Time(rule.SetAt, now)}; the code says nothing"),
        _ => Html.Of($"set at run time {Show.Time(rule.SetAt, now)}; the code says {LimitNumbers.Words(rule.InCode)}"),
    };

    private static Markup Keys(LimitLook limit, DateTimeOffset now)
    {
        var more = (limit.Others, limit.OthersAreMore) switch
        {
            (0, false) => Markup.Empty,
            (0, true) => Html.Of($"""<p class="soft">More keys are in use than were looked at.</p>"""),
            (var n, true) => Html.Of($"""<p class="soft">At least {Show.Count(n)} more are in use.</p>"""),
            (var n, false) => Html.Of($"""<p class="soft">{Show.Count(n)} more are in use.</p>"""),
        };
        if (limit.Keys.Count == 0) return Html.Of($"""<p class="empty">Nothing runs or waits under it.</p>{more}""");

        return Html.Of(
            $"""
            <div class="scroll" id="keys-{Uri.EscapeDataString(limit.Rule.Name)}" tabindex="0"><table>
            <thead><tr><th>Key</th>{Html.If(limit.Rule.Numbers.Slots is not null, () => Html.Of($"""<th class="n">In use</th>"""))}<th class="n">Waiting</th><th>May start</th></tr></thead>
            <tbody>{Html.Each(limit.Keys, k => Html.Of(
                $"""
                <tr><td class="clip">{k.Key}</td>{Html.If(limit.Rule.Numbers.Slots is not null, () => Html.Of($"""<td class="n">{Show.Bounded(k.InUse)}<small> / {Show.Count(limit.Rule.Numbers.Slots!.Value)}</small></td>"""))}
                <td class="n">{Show.Bounded(k.Waiting)}</td><td>{MayStart(k, now)}</td></tr>

                """))}</tbody></table></div>{more}
            """);
    }

    private static Markup MayStart(LimitKey key, DateTimeOffset now) =>
        key.MayStart > 0 ? Html.Of($"{Show.Count(key.MayStart)} now") : key.OpensAt is null ? Html.Of($"when one ends") : key.OpensAt <= now ? Html.Of($"now") : Show.Time(key.OpensAt, now);

    private static Markup Change(JobLimitRule rule, Place place, Markup token) => token.IsEmpty ? Markup.Empty : Html.Of(
        $"""
        <details id="change-{Uri.EscapeDataString(rule.Name)}"><summary>Change the numbers</summary>
        <form class="search plain" method="post" action="{place.Limit(rule.Name)}">{token}
        {Html.Each(LimitNumbers.All, n => Html.Of(
            $"""<label>{Show.Capital(n.Words)}<input name="{n.Name}" type="number" min="1" max="{int.MaxValue}" value="{n.Of(rule.Numbers)?.ToString(CultureInfo.InvariantCulture)}" placeholder="no limit" autocomplete="off"></label>"""))}
        <button class="main">Set</button></form>
        {Html.If(rule.SetAt is not null, () => Html.Of(
            $"""<form class="buttons" method="post" action="{place.Limit(rule.Name)}/reset">{token}<button class="{(rule.InCode is null ? "danger" : "")}">{(rule.InCode is null ? "Take the limit away" : "Reset to the code")}</button></form>"""))}
        <p class="soft">For each key, from the next start on; what runs goes on. Kept over deploys until it is reset.</p></details>
        """);

    private static Markup Times(IEnumerable<JobKind> kinds, Place place)
    {
        var timed = kinds.Where(kind => (kind.Defaults.Timeout ?? kind.Defaults.ExpiresAfter) is not null).OrderBy(kind => kind.Name, StringComparer.Ordinal).ToList();
        return timed.Count == 0
            ? Html.Of($"""<p class="empty">No kind of this program has one. <code>[Job(Timeout = "00:05:00", ExpiresAfter = "01:00:00")]</code> gives it both.</p>""")
            : Html.Of(
                $"""
                <div class="scroll" id="times" tabindex="0"><table><thead><tr><th>Kind</th><th class="n">An attempt takes at most</th><th class="n">Starts within</th></tr></thead>
                <tbody>{Html.Each(timed, k => Html.Of(
                    $"""
                    <tr><td><a href="{place.Runs}?kind={Uri.EscapeDataString(k.Name)}">{k.Name}</a></td><td class="n">{Time(k.Defaults.Timeout)}</td><td class="n">{Time(k.Defaults.ExpiresAfter)}</td></tr>

                    """))}</tbody></table></div>
                <p class="soft">As this program's code has them; a call may say otherwise. Other kinds have none.</p>
                """);
    }

    private static string Time(string? text) =>
        text is null ? "–" : TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) ? Show.Span(time) : text;
}
