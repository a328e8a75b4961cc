using Keelback.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops;

/// <summary>What the API does: the pages' buttons for programs. Numbers and names come as the members of a JSON object.</summary>
internal static class ApiActions
{
    public static void Map(RouteGroupBuilder group)
    {
        var plain = group.MapGroup("");
        plain.AddEndpointFilter(WithoutBody);

        foreach (var (action, act) in RunActions.Named)
            plain.MapPost($"/runs/{{id}}/{action}", async (HttpContext http, CancellationToken ct) => Ok(await act(Get<RunActions>(http), http.GetRun(), Actor(http), ct)));
        group.MapPost("/runs/{id}/copy", async (HttpContext http, CancellationToken ct) =>
            Ok(await Get<RunActions>(http).CopyAsync(http.GetRun(), await TextAsync(http, ct), CallId(http), Actor(http), ct))).WithMetadata(new QueryKeys("id"));

        plain.MapPost("/bulk/{id}/stop", async (HttpContext http, CancellationToken ct) => Ok(await Get<BulkActions>(http).StopAsync(http.GetBulk(), Actor(http), ct)));

        plain.MapPost("/queues/{name}/pause", async (HttpContext http, CancellationToken ct) => Ok(await Get<QueueActions>(http).PauseAsync(http.GetName("name"), true, Actor(http), ct)));
        plain.MapPost("/queues/{name}/resume", async (HttpContext http, CancellationToken ct) => Ok(await Get<QueueActions>(http).PauseAsync(http.GetName("name"), false, Actor(http), ct)));
        group.MapPost("/queues/{name}/slots", async (HttpContext http, CancellationToken ct) =>
            Ok(await Get<QueueActions>(http).SetSlotsAsync(http.GetName("name"), (await ApiBodies.ReadAsync<SlotsBody>(http)).Slots, Actor(http), ct)));

        foreach (var (action, act) in ScheduleActions.Named)
            plain.MapPost($"/schedules/{{name}}/{action}", async (HttpContext http, CancellationToken ct) => Ok(await act(Get<ScheduleActions>(http), http.GetName("name"), Actor(http), ct)));
        group.MapPost("/schedules/{name}/run", async (HttpContext http, CancellationToken ct) =>
            Ok(await Get<ScheduleActions>(http).RunNowAsync(http.GetName("name"), (await ApiBodies.ReadAsync(http, unsent: new RunBody())).Id, Actor(http), ct)));
        group.MapPost("/schedules/{name}/change", async (HttpContext http, CancellationToken ct) =>
        {
            var body = await ApiBodies.ReadAsync<ChangeBody>(http);
            return Ok(await Get<ScheduleActions>(http).ChangeAsync(http.GetName("name"), body.When, body.Zone, Actor(http), ct));
        });

        foreach (var (action, act) in WorkerActions.Named)
            plain.MapPost($"/workers/{{worker}}/{action}", async (HttpContext http, CancellationToken ct) => Ok(await act(Get<WorkerActions>(http), http.GetName("worker"), Actor(http), ct)));
        group.MapPost("/workers/{worker}/scale", async (HttpContext http, CancellationToken ct) =>
            Ok(await Get<WorkerActions>(http).ScaleAsync(http.GetName("worker"), (await ApiBodies.ReadAsync<ScaleBody>(http)).Concurrency, Actor(http), ct)));

        group.MapPost("/revocations/{what}/{value}/revoke", async (HttpContext http, string what, CancellationToken ct) =>
        {
            var body = await ApiBodies.ReadAsync(http, unsent: new RevokeBody());
            return Ok(await Get<RevocationActions>(http).RevokeAsync(what, http.GetName("value"), Lasting(body.Lasting), body.Reason, body.Unknown, Actor(http), ct));
        });
        plain.MapPost("/revocations/{what}/{value}/allow", async (HttpContext http, string what, CancellationToken ct) =>
            Ok(await Get<RevocationActions>(http).AllowAsync(what, http.GetName("value"), Actor(http), ct)));

        group.MapPost("/limits/{name}", async (HttpContext http, CancellationToken ct) =>
        {
            var body = await ApiBodies.ReadAsync<LimitBody>(http);
            return Ok(await Get<LimitActions>(http).SetAsync(http.GetName("name"), body.Changes, body.Unknown, Actor(http), ct));
        });
        plain.MapPost("/limits/{name}/reset", async (HttpContext http, CancellationToken ct) => Ok(await Get<LimitActions>(http).ResetAsync(http.GetName("name"), Actor(http), ct)));
    }

    private static async ValueTask<object?> WithoutBody(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        await ApiBodies.ReadAsync(call.HttpContext, unsent: new NoBody());
        return await next(call);
    }

    // In the address: the body is the arguments, which may have such a member of their own.
    private static Guid? CallId(HttpContext http) => http.Request.Query["id"].ToString() is not { Length: > 0 } text ? null
        : Guid.TryParse(text, out var id) ? id : throw new ProblemException(Problem.Input(FieldError.InParameter("id", "value", "It is a UUID that the caller makes, one for each run.")));

    private static TimeSpan? Lasting(string? text) => text is null ? null : Duration.Parse(text) ?? throw OpsErrors.BadDuration(text);

    private static async Task<string> TextAsync(HttpContext http, CancellationToken ct)
    {
        using var reader = new StreamReader(http.Request.Body);
        return await reader.ReadToEndAsync(ct);
    }

    private static IResult Ok(ActionResult done) => Results.Json(ApiShapes.Done(done), OpsJson.Options);

    private static Actor Actor(HttpContext http) => http.GetActor("api");

    private static T Get<T>(HttpContext http) where T : notnull => http.RequestServices.GetRequiredService<T>();
}
