using System.Globalization;
using Keelback.Jobs;
using Microsoft.AspNetCore.Http;

namespace Keelback.Ops;

/// <summary>Search, and what it found.</summary>
internal static class RunsPage
{
    public static Page Render(
        RunSearch search, IQueryCollection typed, RunPage? found, IReadOnlyList<FieldError> mistakes, IReadOnlyList<string> kinds, IReadOnlyCollection<string> queues,
        Place place, bool mayAct) => new("Runs", "runs", Html.Of(
        $"""
        <div class="head"><h1>Runs</h1>{Html.If(found is not null, () => Html.Of($"""<p class="soft">Newest first. The search is {Show.Span(Lag(found!))} behind.</p>"""))}</div>
        {Form(search, typed, kinds, queues, place)}
        {Html.Each(mistakes, m => Html.Of($"""<p class="error" role="alert">{m.Message}</p>"""))}
        {Html.If(found is not null, () => Html.Of($"{List(found!, search, place)}{Html.If(mayAct, () => Bulk(search, found!, place))}"))}
        """))
        {
            Live = found is not null && search.Before is null ? 5000 : 0,
            Status = mistakes.Count > 0 ? 400 : 200,
        };

    private static TimeSpan Lag(RunPage found) => found.Now > found.CopiedUpTo ? found.Now - found.CopiedUpTo : TimeSpan.Zero;

    private static Markup Form(RunSearch search, IQueryCollection typed, IReadOnlyList<string> kinds, IReadOnlyCollection<string> queues, Place place) => Html.Of(
        $"""
        <form class="search" method="get" action="{place.Runs}" role="search">
        <label class="wide">Words or id<input name="text" value="{search.Text}" placeholder="of the arguments or the error" autocomplete="off"></label>
        <label>State<select name="state"><option value="">any</option>{Option(States.Open, "open", search.IsOpen)}{Html.Each(Enum.GetValues<JobRunState>(), s => Option(States.Name(s), Show.Word(s), s == search.State))}</select></label>
        <label>Kind<input name="kind" value="{search.Kind}" list="kinds" autocomplete="off"></label>
        <datalist id="kinds">{Html.Each(kinds, k => Html.Of($"""<option value="{k}">"""))}</datalist>
        <label>Queue<select name="queue"><option value="">any</option>{Html.Each(queues, q => Option(q, q, q == search.Queue))}</select></label>
        <label>Tag<input name="tag" value="{search.Tag}" autocomplete="off"></label>
        <label>Enqueued from (UTC)<input name="from" value="{Time(search.From) ?? typed["from"].ToString()}"{Wrong(search.From, typed["from"])} placeholder="2026-01-31T08:00" autocomplete="off"></label>
        <label>until<input name="to" value="{Time(search.To) ?? typed["to"].ToString()}"{Wrong(search.To, typed["to"])} autocomplete="off"></label>
        <button class="main">Search</button>
        </form>
        """);

    private static Markup Wrong(DateTimeOffset? read, string? typed) => Html.If(read is null && !string.IsNullOrWhiteSpace(typed), () => Html.Of($" aria-invalid=\"true\""));

    private static Markup Option(string value, string word, bool selected) => selected
        ? Html.Of($"""<option value="{value}" selected>{word}</option>""")
        : Html.Of($"""<option value="{value}">{word}</option>""");

    private static string? Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);

    private static Markup List(RunPage found, RunSearch search, Place place)
    {
        if (found.Runs.Count == 0)
            return Html.Of($"""<p class="empty">{(search.IsEmpty ? "No run yet." : "No run fits.")}{(found.Partial ? " Not all were looked at:" : "")}</p>{More(found, search, place)}""");

        return Html.Of(
            $"""
            <div class="scroll" id="found" tabindex="0"><table class="runs">
            <thead><tr><th>Run</th><th>State</th><th>Kind</th><th>Queue</th><th class="n">Attempt</th><th>Enqueued</th><th class="n">Wait</th><th class="n">Took</th><th>Error or tags</th></tr></thead>
            <tbody>{Html.Each(found.Runs, r => Line(r, found.Now, place))}</tbody>
            </table></div>{More(found, search, place)}
            """);
    }

    private static Markup More(RunPage found, RunSearch search, Place place) => Html.If(found.Next is not null, () =>
        Html.Of($"""<p class="more"><a href="{place.Runs}{search.Query(found.Next)}">{(found.Partial ? "Look further" : "Older")} →</a></p>"""));

    public static Markup Line(RunLine run, DateTimeOffset now, Place place) => Html.Of(
        $"""
        <tr>
        <td><a class="id" href="{place.Run(run.Id)}">{Show.Id(run.Id)}</a></td>
        <td>{Show.State(run.State)}</td>
        <td>{run.Kind}</td>
        <td>{run.Queue}</td>
        <td class="n">{run.Attempt}<small> / {run.MaxAttempts}</small></td>
        <td>{Show.Time(run.EnqueuedAt, now)}</td>
        <td class="n">{Wait(run)}</td>
        <td class="n">{Took(run, now)}</td>
        <td class="clip">{Html.If(run.WaitsFor is not null, () => Html.Of($"waits for {run.WaitsFor} "))}{run.Error}{Html.Each(run.Tags, t => Html.Of($"""<a class="chip" href="{place.Runs}?tag={Uri.EscapeDataString(t)}">{t}</a>"""))}</td>
        </tr>

        """);

    private static string Wait(RunLine run) => run is { StartedAt: { } at, Attempt: 1 }
        ? Show.Span(at - (run.DueAt > run.EnqueuedAt ? run.DueAt.Value : run.EnqueuedAt))
        : "–";

    private static string Took(RunLine run, DateTimeOffset now) => run switch
    {
        { State: JobRunState.Running, StartedAt: { } at } => Show.Span(now - at),
        { StartedAt: { } at, FinishedAt: { } end } => Show.Span(end - at),
        _ => "–",
    };

    private static Markup Bulk(RunSearch search, RunPage found, Place place) => search.IsEmpty || found.Runs.Count == 0 ? Markup.Empty : Html.Of(
        $"""
        <p class="bulk">With all that this search finds, older pages too:
        {Html.Each(RunActions.Bulk, a => Html.Of($"""<a class="button" href="{place.Root}/bulk{search.Query()}&amp;action={a}">{Show.Capital(a)} all …</a> """))}</p>
        """);
}
