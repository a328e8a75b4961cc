using System.Text.Json;
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
        foreach (var (action, act) in RunActions.Named)
            group.MapPost($"/runs/{{id:long}}/{action}", async (HttpContext http, long id, CancellationToken ct) => Ok(await act(Get<RunActions>(http), id, Actor(http), ct)));
        group.MapPost("/runs/{id:long}/copy", async (HttpContext http, long id, CancellationToken ct) =>
            Ok(await Get<RunActions>(http).CopyAsync(id, await BodyAsync(http, ct), Actor(http), ct)));

        group.MapPost("/queues/{name}/pause", async (HttpContext http, string name, CancellationToken ct) => Ok(await Get<QueueActions>(http).PauseAsync(name, true, Actor(http), ct)));
        group.MapPost("/queues/{name}/resume", async (HttpContext http, string name, CancellationToken ct) => Ok(await Get<QueueActions>(http).PauseAsync(name, false, Actor(http), ct)));
        group.MapPost("/queues/{name}/slots", async (HttpContext http, string name, CancellationToken ct) =>
            Ok(await Get<QueueActions>(http).SetSlotsAsync(name, Number(await BodyAsync(http, ct), "slots", OpsErrors.BadSlots), Actor(http), ct)));

        foreach (var (action, act) in ScheduleActions.Named)
            group.MapPost($"/schedules/{{name}}/{action}", async (HttpContext http, string name, CancellationToken ct) => Ok(await act(Get<ScheduleActions>(http), name, Actor(http), ct)));
        group.MapPost("/schedules/{name}/change", async (HttpContext http, string name, CancellationToken ct) => await BodyAsync(http, ct) is var body
            ? Ok(await Get<ScheduleActions>(http).ChangeAsync(name, Text(body, "when") ?? "", Text(body, "zone"), Actor(http), ct)) : null);

        foreach (var (action, act) in WorkerActions.Named)
            group.MapPost($"/workers/{{worker}}/{action}", async (HttpContext http, string worker, CancellationToken ct) => Ok(await act(Get<WorkerActions>(http), worker, Actor(http), ct)));
        group.MapPost("/workers/{worker}/scale", async (HttpContext http, string worker, CancellationToken ct) =>
            Ok(await Get<WorkerActions>(http).ScaleAsync(worker, Number(await BodyAsync(http, ct), "concurrency", OpsErrors.BadConcurrency), Actor(http), ct)));

        group.MapPost("/revocations/{what}/{value}/revoke", async (HttpContext http, string what, string value, CancellationToken ct) => await BodyAsync(http, ct) is var body
            ? Ok(await Get<RevocationActions>(http).RevokeAsync(what, value, Lasting(Text(body, "lasting")), Text(body, "reason"), Actor(http), ct)) : null);
        group.MapPost("/revocations/{what}/{value}/allow", async (HttpContext http, string what, string value, CancellationToken ct) =>
            Ok(await Get<RevocationActions>(http).AllowAsync(what, value, Actor(http), ct)));
    }

    /// <summary>A whole number, or null; anything else is what <paramref name="not"/> says.</summary>
    private static int? Number(string json, string name, Func<string, KeelbackException> not) => Read(json, body =>
        body.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.Null ? (int?)null : value.GetInt32() : throw not(json), not);

    private static string? Text(string json, string name) => json.Trim().Length == 0 ? null : Read(json, body =>
        body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null, _ => OpsErrors.BadPayload($"'{name}' does not read."));

    private static T Read<T>(string json, Func<JsonElement, T> read, Func<string, KeelbackException> not)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw not(json);
        }
    }

    private static TimeSpan? Lasting(string? text) => text is null ? null : Duration.Parse(text) ?? throw OpsErrors.BadDuration(text);

    private static async Task<string> BodyAsync(HttpContext http, CancellationToken ct)
    {
        using var reader = new StreamReader(http.Request.Body);
        return await reader.ReadToEndAsync(ct);
    }

    private static IResult Ok(object answer) => Results.Json(answer, OpsJson.Options);

    private static Actor Actor(HttpContext http) => http.GetActor("api");

    private static T Get<T>(HttpContext http) where T : notnull => http.RequestServices.GetRequiredService<T>();
}
