using System.Globalization;
using Keelback.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Npgsql;

namespace Keelback.Ops;

/// <summary>The addresses of the pages.</summary>
internal sealed class PageEndpoints(
    NpgsqlDataSource db, QueueCatalog catalog, OverviewReader overview, RunSearcher searcher, RunDetailsReader runs, AuditReader audit,
    EditableInput inputs, KnownNames names, JobKinds kinds, BulkActions bulks, BulkCounter counter, WarningReader warnings, JobRevocations revocations, DevelopmentLink link)
{
    private const int PageSize = 50;

    public static void Map(RouteGroupBuilder group)
    {
        // The readers are asked for with the request: mapping must not need a database.
        // Not behind the gate's doors: they hold nothing of the app's, and a link must open before there is a session.
        group.MapGet("/-/{name}", AssetAsync).WithMetadata(new ForMachines()).AllowAnonymous();
        group.MapGet("/open", (HttpContext http) => Of(http).Open(http)).AllowAnonymous();

        group.MapGet("", (HttpContext http, CancellationToken ct) => Of(http).OverviewAsync(http, ct));
        group.MapGet("/runs", (HttpContext http, CancellationToken ct) => Of(http).RunsAsync(http, ct));
        group.MapGet("/runs/{id:long}", (HttpContext http, long id, CancellationToken ct) => Of(http).RunAsync(http, id, ct));
        group.MapGet("/runs/{id:long}/edit", (HttpContext http, long id, CancellationToken ct) => Of(http).EditAsync(http, id, ct)).WithMetadata(new ForActors());
        group.MapGet("/bulk", (HttpContext http, CancellationToken ct) => Of(http).ConfirmAsync(http, ct)).WithMetadata(new ForActors());
        group.MapGet("/bulk/{id:long}", (HttpContext http, long id, CancellationToken ct) => Of(http).BulkAsync(http, id, ct));
        group.MapGet("/schedules", (HttpContext http, JobSchedules schedules, CancellationToken ct) => Of(http).SchedulesAsync(http, schedules, ct));
        group.MapGet("/schedules/{name}", (HttpContext http, CancellationToken ct) => Of(http).ScheduleAsync(http, http.GetName("name"), ct));
        group.MapGet("/workers", (HttpContext http, CancellationToken ct) => Of(http).WorkersAsync(http, ct));
        group.MapGet("/limits", (HttpContext http, LimitReader limits, JobKinds kinds, CancellationToken ct) => Of(http).LimitsAsync(http, limits, kinds, ct));
        group.MapGet("/audit", (HttpContext http, CancellationToken ct) => Of(http).AuditAsync(http, ct));
        group.MapGet("/{**page:regex(^(?!api(/|$)))}", (HttpContext http, CancellationToken ct) => Of(http).TellAsync(
            http, StatusCodes.Status404NotFound, "No such page", ["Nothing of the jobs has this address."], ct));
        FormEndpoints.Map(group);
    }

    private static PageEndpoints Of(HttpContext http) => http.RequestServices.GetRequiredService<PageEndpoints>();

    private static Task AssetAsync(HttpContext http, string name)
    {
        if (Assets.Find(name) is { } asset) return asset.WriteAsync(http);
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private IResult Open(HttpContext http)
    {
        if (!link.Exists) return Results.NotFound();

        var place = http.GetPlace();
        if (link.Open(http, http.Request.Query["token"], place.Root))
        {
            // Not a redirect: a browser that came here from elsewhere would not send a strict cookie on it.
            return new PageResult(Layout.Bare("Opening the jobs pages", Html.Of($"""<p><a href="{place.Root}">Go on</a></p>"""), place, next: place.Root));
        }

        link.Say(place.Root);
        return new PageResult(Layout.Bare("This link is not valid (any more)", Html.Of($"<p>Each is good for one use. A new one is in the app's log.</p>"), place), StatusCodes.Status401Unauthorized);
    }

    private async Task<IResult> OverviewAsync(HttpContext http, CancellationToken ct)
    {
        var range = FigureRange.All.FirstOrDefault(r => r.Name == http.Request.Query["range"]) ?? FigureRange.Hour;
        return await WriteAsync(http, OverviewPage.Render(await overview.ReadAsync(range, ct), http.GetPlace(), http.GetFormToken()), ct);
    }

    private async Task<IResult> RunsAsync(HttpContext http, CancellationToken ct)
    {
        var place = http.GetPlace();
        var mistakes = new List<FieldError>();
        var search = await names.ReadAsync(http.Request.Query, mistakes, ct);
        if (search.Text is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && await runs.FindAsync(id, ct) is not null)
            return Results.Redirect(place.Run(id));

        var queues = await QueueNames.AllAsync(db, catalog.App, ct);
        RunPage? found = null;
        if (mistakes.Count == 0)
        {
            try
            {
                found = await searcher.FindAsync(search, PageSize, ct);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
            {
                mistakes.Add(RunSearch.TooSlow);
            }
        }

        return await WriteAsync(http, RunsPage.Render(search, http.Request.Query, found, mistakes, await searcher.KindsAsync(ct), queues.Keys, place, http.MayAct()), ct);
    }

    private async Task<IResult> RunAsync(HttpContext http, long id, CancellationToken ct)
    {
        var place = http.GetPlace();
        if (await runs.WholeAsync(id, ct) is not { } run) return await NoRunAsync(http, id, ct);

        var (lines, _) = await audit.ReadAsync([AuditTarget.Run(id), AuditTarget.Graph(run.Root ?? id)], null, 20, ct);
        return await WriteAsync(http, RunDetailsPage.Render(run, lines, place, http.GetFormToken()), ct);
    }

    private async Task<IResult> EditAsync(HttpContext http, long id, CancellationToken ct)
    {
        try
        {
            return await ShowEditAsync(http, id, await inputs.WholeAsync(id, inForm: true, ct) is { } stored ? EditPage.Text(stored) : "", null, ct);
        }
        catch (KeelbackException e) when (e.Code is "KB1725" or "KB1726")
        {
            return await RefusedAsync(http, e, ct);
        }
    }

    /// <summary>The form once more, with what was typed and what is wrong with it.</summary>
    public Task<IResult> EditAgainAsync(HttpContext http, long id, string json, string mistake, int status, CancellationToken ct) =>
        ShowEditAsync(http, id, json, (mistake, status), ct);

    private async Task<IResult> ShowEditAsync(HttpContext http, long id, string json, (string Text, int Status)? mistake, CancellationToken ct) =>
        await runs.FindAsync(id, ct) is { } run
            ? await WriteAsync(http, EditPage.Render(
                run, json, kinds.Find(run.Kind)?.Unique?.OnConflict, mistake, http.GetPlace(), Html.Of($"{http.GetFormToken()}{Once.Field(mistake is null ? null : http.Request.Form)}")), ct)
            : await NoRunAsync(http, id, ct);

    /// <summary>Why an action was not done.</summary>
    public Task<IResult> RefusedAsync(HttpContext http, KeelbackException why, CancellationToken ct) => TellAsync(http, RefusalStatus.Of(why), "Not done", [why.Message], ct);

    /// <summary>What a program would get as a problem document.</summary>
    public Task<IResult> TellAsync(HttpContext http, int status, string title, IEnumerable<string> messages, CancellationToken ct) => WriteAsync(http, new(title, "", Html.Of(
        $"""
        <div class="head"><h1>{title}</h1></div>
        {Html.Each(messages, m => Html.Of($"""<p class="error" role="alert">{m}</p>"""))}<p><a href="{http.GetPlace().Root}">To the overview</a></p>
        """))
    { Status = status }, ct);

    private async Task<IResult> SchedulesAsync(HttpContext http, JobSchedules schedules, CancellationToken ct) => await WriteAsync(
        http, SchedulesPage.Render(await schedules.ListAsync(ct), await overview.NowAsync(ct), http.GetPlace(), http.GetFormToken()), ct);

    /// <summary>One schedule; once more with what was typed and what is wrong with it.</summary>
    public async Task<IResult> ScheduleAsync(HttpContext http, string name, CancellationToken ct, string? mistake = null, (string When, string Zone)? typed = null, int status = StatusCodes.Status400BadRequest)
    {
        try
        {
            var (schedule, history) = await http.RequestServices.GetRequiredService<ScheduleActions>().FindAsync(name, 50, ct);
            return await WriteAsync(http, SchedulesPage.One(schedule, history, await overview.NowAsync(ct), http.GetPlace(), http.GetFormToken(), mistake, typed, status), ct);
        }
        catch (KeelbackException e) when (e.Code == "KB1715")
        {
            return await WriteAsync(http, new("No such schedule", "schedules", Html.Of(
                $"""<div class="head"><h1>No such schedule</h1></div><p class="empty">{e.Message} <a href="{http.GetPlace().Schedules}">All schedules</a></p>"""))
            { Status = StatusCodes.Status404NotFound }, ct);
        }
    }

    private async Task<IResult> WorkersAsync(HttpContext http, CancellationToken ct) => await WriteAsync(http, WorkersPage.Render(
        await overview.ReadAsync(FigureRange.Hour, ct), await revocations.ListAsync(ct), await searcher.KindsAsync(ct), http.GetPlace(), http.GetFormToken()), ct);

    private async Task<IResult> LimitsAsync(HttpContext http, LimitReader limits, JobKinds kinds, CancellationToken ct)
    {
        var (all, now) = await limits.AllAsync(ct);
        return await WriteAsync(http, LimitsPage.Render(all, kinds.All, now, http.GetPlace(), http.GetFormToken()), ct);
    }

    private async Task<IResult> AuditAsync(HttpContext http, CancellationToken ct)
    {
        long? before = long.TryParse(http.Request.Query["before"], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
        var (lines, now) = await audit.ReadAsync(null, before, AuditPage.Size, ct);
        return await WriteAsync(http, AuditPage.Render(lines, now, http.GetPlace()), ct);
    }

    private async Task<IResult> BulkAsync(HttpContext http, long id, CancellationToken ct)
    {
        try
        {
            return await WriteAsync(http, BulkPage.Render(await bulks.LookAsync(id, ct), http.GetPlace(), http.GetFormToken()), ct);
        }
        catch (KeelbackException e) when (e.Code == "KB1721")
        {
            return await TellAsync(http, StatusCodes.Status404NotFound, "No such bulk", [e.Message], ct);
        }
    }

    /// <summary>What would be done to how many, before it is. Changes nothing.</summary>
    private async Task<IResult> ConfirmAsync(HttpContext http, CancellationToken ct)
    {
        var query = new Dictionary<string, StringValues>(http.Request.Query);
        query.Remove("action", out var action);
        var mistakes = new List<FieldError>();
        var search = await names.ReadAsync(new QueryCollection(query), mistakes, ct);
        if (mistakes.Count > 0) return await MistakenAsync(http, mistakes, ct);

        try
        {
            BulkActions.Check(action.ToString(), search);
            return await WriteAsync(http, BulkPage.Confirm(action.ToString(), search, await counter.CountAsync(action.ToString(), search, ct), http.GetPlace(), http.GetFormToken()), ct);
        }
        catch (KeelbackException e)
        {
            return await RefusedAsync(http, e, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            return await MistakenAsync(http, [RunSearch.TooSlow], ct);
        }
    }

    /// <summary>What is wrong with the search of an address.</summary>
    public Task<IResult> MistakenAsync(HttpContext http, IEnumerable<FieldError> mistakes, CancellationToken ct) =>
        TellAsync(http, StatusCodes.Status400BadRequest, "Not done", mistakes.Select(m => m.Message), ct);

    private Task<IResult> NoRunAsync(HttpContext http, long id, CancellationToken ct) => WriteAsync(http, new("No such run", "runs", Html.Of(
        $"""
        <div class="head"><h1>There is no run {Show.Id(id)}</h1></div>
        <p class="empty">Its transaction did not commit, it belongs to another app, or its retention is over. <a href="{http.GetPlace().Runs}">Search for another</a></p>
        """))
    { Status = StatusCodes.Status404NotFound }, ct);

    private async Task<IResult> WriteAsync(HttpContext http, Page page, CancellationToken ct) =>
        new PageResult(Layout.Render(page, http.GetPlace(), catalog.App, await warnings.AllAsync(ct)), page.Status);
}
