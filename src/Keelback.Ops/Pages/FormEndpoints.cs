using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops;

/// <summary>What the buttons of the pages post to. Each answers with a redirect, so that loading again repeats nothing.</summary>
internal static class FormEndpoints
{
    public static void Map(RouteGroupBuilder pages)
    {
        var group = pages.MapGroup("");
        group.AddEndpointFilter(SameOrigin.ForForms);
        group.AddEndpointFilter(ToldOnAPage);
        group.DisableAntiforgery(); // the filter above checks it, whether or not the app has the middleware

        foreach (var (action, act) in RunActions.Named)
            group.MapPost($"/runs/{{id:long}}/{action}", (HttpContext http, long id, CancellationToken ct) =>
                ActAsync(act(Actions(http), id, http.GetActor("page"), ct), http.GetPlace().Run(id)));
        group.MapPost("/runs/{id:long}/edit", EditAsync).WithMetadata(EditPage.Limit);
        group.MapPost("/bulk", BulkAsync);
        group.MapPost("/bulk/{id:long}/stop", (HttpContext http, long id, CancellationToken ct) =>
            ActAsync(Bulks(http).StopAsync(id, http.GetActor("page"), ct), http.GetPlace().Bulk(id)));
        foreach (var (action, act) in ScheduleActions.Named)
            group.MapPost($"/schedules/{{name}}/{action}", (HttpContext http, CancellationToken ct) =>
                ActAsync(act(Schedules(http), http.GetName("name"), http.GetActor("page"), ct), http.GetPlace().Schedule(http.GetName("name"))));
        group.MapPost("/schedules/{name}/run", RunScheduleAsync);
        group.MapPost("/schedules/{name}/change", ChangeAsync);
        foreach (var (action, act) in WorkerActions.Named)
            group.MapPost($"/workers/{{worker}}/{action}", (HttpContext http, CancellationToken ct) =>
                ActAsync(act(Workers(http), http.GetName("worker"), http.GetActor("page"), ct), http.GetPlace().Workers));
        group.MapPost("/workers/{worker}/scale", (HttpContext http, CancellationToken ct) =>
            ActAsync(Workers(http).ScaleAsync(http.GetName("worker"), Number(Field(http, "concurrency"), OpsErrors.BadConcurrency), http.GetActor("page"), ct), http.GetPlace().Workers));
        group.MapPost("/revocations", (HttpContext http, CancellationToken ct) => ActAsync(
            Revocations(http).RevokeAsync(Field(http, "what"), Field(http, "value"), Lasting(Field(http, "lasting")), Field(http, "reason") is { Length: > 0 } why ? why : null,
                Field(http, "unknown") == "true", http.GetActor("page"), ct), http.GetPlace().Workers));
        group.MapPost("/revocations/allow", (HttpContext http, CancellationToken ct) =>
            ActAsync(Revocations(http).AllowAsync(Field(http, "what"), http.Request.Form["value"].ToString(), http.GetActor("page"), ct), http.GetPlace().Workers));
        group.MapPost("/queues/{name}/pause", (HttpContext http, CancellationToken ct) =>
            ActAsync(Queues(http).PauseAsync(http.GetName("name"), true, http.GetActor("page"), ct), http.GetPlace().Root));
        group.MapPost("/queues/{name}/resume", (HttpContext http, CancellationToken ct) =>
            ActAsync(Queues(http).PauseAsync(http.GetName("name"), false, http.GetActor("page"), ct), http.GetPlace().Root));
        group.MapPost("/queues/{name}/slots", (HttpContext http, CancellationToken ct) =>
            ActAsync(Queues(http).SetSlotsAsync(http.GetName("name"), Number(Field(http, "slots"), OpsErrors.BadSlots), http.GetActor("page"), ct), http.GetPlace().Root));
        group.MapPost("/limits/{name}", (HttpContext http, CancellationToken ct) =>
            ActAsync(Limits(http).SetAsync(http.GetName("name"), Numbers(http), unknown: false, http.GetActor("page"), ct), http.GetPlace().Limits));
        group.MapPost("/limits/{name}/reset", (HttpContext http, CancellationToken ct) =>
            ActAsync(Limits(http).ResetAsync(http.GetName("name"), http.GetActor("page"), ct), http.GetPlace().Limits));
    }

    private static string Field(HttpContext http, string name) => http.Request.Form[name].ToString().Trim();

    private static int? Number(string text, Func<string, KeelbackException> not) => text.Length == 0 ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw not(text);

    private static Dictionary<string, int?> Numbers(HttpContext http) => LimitNumbers.All
        .Where(number => http.Request.Form.ContainsKey(number.Name)).ToDictionary(number => number.Name, number => LimitNumbers.Parse(Field(http, number.Name), none: ""));

    private static TimeSpan? Lasting(string text) => text.Length == 0 ? null : Duration.Parse(text) ?? throw OpsErrors.BadDuration(text);

    private static async Task<IResult> RunScheduleAsync(HttpContext http, CancellationToken ct)
    {
        var name = http.GetName("name");
        var result = await Schedules(http).RunNowAsync(name, Once.IdOf(http.Request.Form), http.GetActor("page"), ct);
        return result.Run is { } run ? SeeOther(http.GetPlace().Run(run))
            : await http.RequestServices.GetRequiredService<PageEndpoints>().ScheduleAsync(http, name, ct, result.Outcome, status: StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> ChangeAsync(HttpContext http, CancellationToken ct)
    {
        var (name, when, zone) = (http.GetName("name"), Field(http, "when"), Field(http, "zone"));
        try
        {
            await Schedules(http).ChangeAsync(name, when, zone, http.GetActor("page"), ct);
            return SeeOther(http.GetPlace().Schedule(name));
        }
        catch (KeelbackException e) when (e.Code is not "KB1715")
        {
            return await http.RequestServices.GetRequiredService<PageEndpoints>().ScheduleAsync(http, name, ct, e.Message, (when, zone));
        }
    }

    private static async Task<IResult> EditAsync(HttpContext http, long id, CancellationToken ct)
    {
        var json = http.Request.Form["json"].ToString();
        var pages = http.RequestServices.GetRequiredService<PageEndpoints>();
        try
        {
            var result = await Actions(http).CopyAsync(id, json, Once.IdOf(http.Request.Form, json), http.GetActor("page"), ct);
            return result.Run is { } run ? SeeOther(http.GetPlace().Run(run)) : await pages.EditAgainAsync(http, id, json, result.Outcome, StatusCodes.Status409Conflict, ct);
        }
        catch (KeelbackException e) when (e.Code is not "KB1218")
        {
            return await pages.EditAgainAsync(http, id, json, e.Message, RefusalStatus.Of(e), ct);
        }
    }

    private static async Task<IResult> BulkAsync(HttpContext http, CancellationToken ct)
    {
        var mistakes = new List<FieldError>();
        var pages = http.RequestServices.GetRequiredService<PageEndpoints>();
        var search = await http.RequestServices.GetRequiredService<KnownNames>().ReadAsync(http.Request.Query, mistakes, ct);
        if (mistakes.Count > 0) return await pages.MistakenAsync(http, mistakes, ct);

        return SeeOther(http.GetPlace().Bulk(await Bulks(http).BeginAsync(http.Request.Form["action"].ToString(), search, http.GetActor("page"), ct)));
    }

    private static async Task<IResult> ActAsync(Task<ActionResult> action, string back)
    {
        await action;
        return SeeOther(back);
    }

    private static SeeOtherResult SeeOther(string path) => new SeeOtherResult(path);

    private static RunActions Actions(HttpContext http) => http.RequestServices.GetRequiredService<RunActions>();

    private static BulkActions Bulks(HttpContext http) => http.RequestServices.GetRequiredService<BulkActions>();

    private static ScheduleActions Schedules(HttpContext http) => http.RequestServices.GetRequiredService<ScheduleActions>();

    private static WorkerActions Workers(HttpContext http) => http.RequestServices.GetRequiredService<WorkerActions>();

    private static RevocationActions Revocations(HttpContext http) => http.RequestServices.GetRequiredService<RevocationActions>();

    private static LimitActions Limits(HttpContext http) => http.RequestServices.GetRequiredService<LimitActions>();

    private static QueueActions Queues(HttpContext http) => http.RequestServices.GetRequiredService<QueueActions>();

    // What could not be done is told as a page, since a page asked for it.
    private static async ValueTask<object?> ToldOnAPage(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        try
        {
            return await next(call);
        }
        catch (KeelbackException e)
        {
            return await http.RequestServices.GetRequiredService<PageEndpoints>().RefusedAsync(http, e, http.RequestAborted);
        }
    }

    private sealed class SeeOtherResult(string path) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = path;
            return Task.CompletedTask;
        }
    }
}
