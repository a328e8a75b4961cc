using Microsoft.AspNetCore.Http;

namespace Keelback.Ops;

/// <summary>Where the pages are mapped, as links need it: with the request's path base, without a slash at the end.</summary>
internal readonly record struct Place(string Root)
{
    public string Runs => Root + "/runs";

    public string Schedules => Root + "/schedules";

    public string Workers => Root + "/workers";

    public string Limits => Root + "/limits";

    public string Limit(string name) => $"{Limits}/{Uri.EscapeDataString(name)}";

    public string Schedule(string name) => $"{Schedules}/{Uri.EscapeDataString(name)}";

    public string Bulk(long id) => $"{Root}/bulk/{Show.Id(id)}";

    public string Run(long id) => $"{Root}/runs/{Show.Id(id)}";
}

/// <summary>A page before it is written.</summary>
/// <param name="Title">Also what the browser's tab says.</param>
/// <param name="Section">Which entry of the navigation it belongs to.</param>
/// <param name="Body">What stands in the main part.</param>
internal sealed record Page(string Title, string Section, Markup Body)
{
    /// <summary>Milliseconds after which the script fetches it again; 0: never.</summary>
    public int Live { get; init; }

    public int Status { get; init; } = StatusCodes.Status200OK;
}

/// <summary>What every page has: head, navigation, warnings.</summary>
internal static class Layout
{
    private static readonly (string Section, string Path, string Word)[] s_sections =
    [
        ("overview", "", "Overview"), ("runs", "/runs", "Runs"), ("schedules", "/schedules", "Schedules"), ("workers", "/workers", "Workers"),
        ("limits", "/limits", "Limits"), ("audit", "/audit", "Audit"),
    ];

    public static Markup Render(Page page, Place place, string app, IReadOnlyList<Warning> warnings) => Html.Of(
        $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="robots" content="noindex">
        <title>{page.Title} · {app}</title>
        <link rel="stylesheet" href="{place.Root}/-/{Assets.Css.Name}">
        <link rel="icon" href="{place.Root}/-/{Assets.Icon.Name}" type="image/svg+xml">
        <script src="{place.Root}/-/{Assets.Js.Name}" defer></script>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top"><div class="bar">
        <a class="brand" href="{place.Root}"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="M3 4h14M3 10h9M3 16h5"/></svg>{app}</a>
        <nav aria-label="Jobs">{Html.Each(s_sections, s => Entry(place.Root + s.Path, s.Word, s.Section == page.Section))}</nav>
        </div></header>
        <main id="main" data-live="{page.Live}">
        {Html.Each(warnings, Banner)}
        {page.Body}
        </main>
        </body>
        </html>

        """);

    /// <summary>A page without navigation or warnings, for who is not let in.</summary>
    public static Markup Bare(string title, Markup body, Place place, string? next = null) => Html.Of(
        $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        {Html.If(next is not null, () => Html.Of($"""<meta http-equiv="refresh" content="0; url={next}">"""))}
        <title>{title}</title>
        <link rel="stylesheet" href="{place.Root}/-/{Assets.Css.Name}">
        </head>
        <body><main id="main" class="bare"><h1>{title}</h1>{body}</main></body>
        </html>

        """);

    private static Markup Entry(string path, string word, bool current) => current
        ? Html.Of($"""<a href="{path}" aria-current="page">{word}</a>""")
        : Html.Of($"""<a href="{path}">{word}</a>""");

    private static Markup Banner(Warning warning) => Html.Of(
        $"""<p class="warning" role="status"><svg class="ico" viewBox="0 0 12 12" aria-hidden="true"><path d="M6 2v5M6 9.5v.5"/></svg><span>{warning.Text}</span></p>""");
}
