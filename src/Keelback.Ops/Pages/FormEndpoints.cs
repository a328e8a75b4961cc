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
        group.MapPost("/runs/{id:long}/edit", EditAsync);
        group.MapPost("/bulk", BulkAsync);
        group.MapPost("/queues/{name}/pause", (HttpContext http, string name, CancellationToken ct) =>
            ActAsync(Queues(http).PauseAsync(name, true, http.GetActor("page"), ct), http.GetPlace().Root));
        group.MapPost("/queues/{name}/resume", (HttpContext http, string name, CancellationToken ct) =>
            ActAsync(Queues(http).PauseAsync(name, false, http.GetActor("page"), ct), http.GetPlace().Root));
        group.MapPost("/queues/{name}/slots", (HttpContext http, string name, CancellationToken ct) =>
            ActAsync(Queues(http).SetSlotsAsync(name, Slots(http.Request.Form["slots"].ToString()), http.GetActor("page"), ct), http.GetPlace().Root));
    }

    /// <exception cref="KeelbackException">KB1713: neither a number nor empty.</exception>
    private static int? Slots(string text) => text.Trim().Length == 0 ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var slots) ? slots : throw OpsErrors.BadSlots(text);

    private static async Task<IResult> EditAsync(HttpContext http, long id, CancellationToken ct)
    {
        var json = http.Request.Form["json"].ToString();
        var place = http.GetPlace();
        try
        {
            var result = await Actions(http).CopyAsync(id, json, http.GetActor("page"), ct);
            return SeeOther(place.Run(result.Run!.Value));
        }
        catch (KeelbackException e) when (e.Code is "KB1707" or "KB1206" or "KB1207")
        {
            return await http.RequestServices.GetRequiredService<PageEndpoints>().EditAgainAsync(http, id, json, e.Message, ct);
        }
    }

    private static async Task<IResult> BulkAsync(HttpContext http, CancellationToken ct)
    {
        var mistakes = new List<FieldError>();
        var search = RunSearch.Of(http.Request.Query, mistakes);
        if (mistakes.Count > 0) return Keelback.Web.Problem.Input(mistakes);

        var bulks = http.RequestServices.GetRequiredService<BulkActions>();
        return SeeOther($"{http.GetPlace().Root}/bulk/{Show.Id(await bulks.BeginAsync(http.Request.Form["action"].ToString(), search, http.GetActor("page"), ct))}");
    }

    private static async Task<IResult> ActAsync(Task<ActionResult> action, string back)
    {
        await action;
        return SeeOther(back);
    }

    private static SeeOtherResult SeeOther(string path) => new SeeOtherResult(path);

    private static RunActions Actions(HttpContext http) => http.RequestServices.GetRequiredService<RunActions>();

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
