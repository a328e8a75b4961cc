using System.Globalization;
using Keelback.Jobs;
using Keelback.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Ops;

/// <summary>The pages' content and actions as JSON, under <c>/api</c> of the pages.</summary>
internal sealed class ApiEndpoints(NpgsqlDataSource db, QueueCatalog catalog, RunSearcher searcher, AuditReader audit)
{
    private const int MostRuns = 200;

    public static void Map(RouteGroupBuilder pages)
    {
        var group = pages.MapGroup("/api");
        group.WithMetadata(new ForMachines());
        group.AddEndpointFilter(SameOrigin.ForApi);
        group.AddEndpointFilter(ToldAsProblem);
        group.DisableAntiforgery(); // a cookie's user is protected by the content type and what the browser says of the origin

        group.MapGet("/overview", async (HttpContext http, OverviewReader overview, CancellationToken ct) => Ok(ApiShapes.Overview(await overview.ReadAsync(Range(http), ct))));
        group.MapGet("/queues", async (OverviewReader overview, CancellationToken ct) => await overview.ReadAsync(FigureRange.Hour, ct) is var look ? Ok(look.Queues.Select(q => ApiShapes.Queue(q, look))) : null);
        group.MapGet("/workers", async (OverviewReader overview, CancellationToken ct) => await overview.ReadAsync(FigureRange.Hour, ct) is var look ? Ok(look.Workers.Select(w => ApiShapes.Worker(w, look.Now))) : null);
        group.MapGet("/health", async (WarningReader warnings, CancellationToken ct) => Ok(new { warnings = await warnings.AllAsync(ct) }));
        group.MapGet("/schedules", async (JobSchedules schedules, OverviewReader overview, CancellationToken ct) => await overview.NowAsync(ct) is var now ? Ok((await schedules.ListAsync(ct)).Select(s => ApiShapes.Schedule(s, now))) : null);
        group.MapGet("/schedules/{name}", async (string name, ScheduleActions schedules, OverviewReader overview, CancellationToken ct) =>
            await schedules.FindAsync(name, 50, ct) is var (schedule, history) ? Ok(new { schedule = ApiShapes.Schedule(schedule, await overview.NowAsync(ct)), ticks = history }) : null);
        group.MapGet("/revocations", async (JobRevocations revocations, CancellationToken ct) => Ok(await revocations.ListAsync(ct)));
        group.MapGet("/audit", (HttpContext http, CancellationToken ct) => http.RequestServices.GetRequiredService<ApiEndpoints>().AuditAsync(http, ct));
        group.MapGet("/runs", (HttpContext http, CancellationToken ct) => http.RequestServices.GetRequiredService<ApiEndpoints>().RunsAsync(http, ct));
        group.MapGet("/runs/{id:long}", async (long id, RunDetailsReader runs, CancellationToken ct) => Ok(ApiShapes.Run(await runs.WholeAsync(id, ct) ?? throw JobErrors.NoSuchRun(id))));
        ApiActions.Map(group);
    }

    private async Task<IResult> RunsAsync(HttpContext http, CancellationToken ct)
    {
        var mistakes = new List<FieldError>();
        var size = 50;
        var query = new Dictionary<string, Microsoft.Extensions.Primitives.StringValues>(http.Request.Query);
        if (query.Remove("size", out var asked) && !(int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size is >= 1 and <= MostRuns))
            mistakes.Add(FieldError.InParameter("size", "range", $"A page has 1 to {MostRuns} runs."));

        var search = RunSearch.Of(new QueryCollection(query), mistakes);
        if (search.Queue is { } queue && await QueueNames.AllAsync(db, catalog.App, ct) is var names && !names.ContainsKey(queue))
            mistakes.Add(FieldError.InParameter("queue", "unknown", OpsErrors.NoSuchQueue(queue, names.Keys).Message[8..]));
        return mistakes.Count > 0 ? Problem.Input(mistakes) : Ok(ApiShapes.Runs(await searcher.FindAsync(search, size, ct)));
    }

    private async Task<IResult> AuditAsync(HttpContext http, CancellationToken ct)
    {
        long? before = long.TryParse(http.Request.Query["before"], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
        var (lines, _) = await audit.ReadAsync(null, before, AuditPage.Size, ct);
        return Ok(new { audit = lines.Select(ApiShapes.Audit), before = lines.Count == AuditPage.Size ? lines[^1].Id : (long?)null });
    }

    private static FigureRange Range(HttpContext http) => FigureRange.All.FirstOrDefault(r => r.Name == http.Request.Query["range"]) ?? FigureRange.Hour;

    private static IResult Ok(object answer) => Results.Json(answer, OpsJson.Options);

    private static async ValueTask<object?> ToldAsProblem(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        try
        {
            return await next(call);
        }
        catch (KeelbackException e)
        {
            return new Problem(RefusalStatus.Of(e), e.Message) { Type = $"urn:keelback:error:{e.Code}" };
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            return new Problem(StatusCodes.Status503ServiceUnavailable, "The search took longer than 5 s and was stopped. Narrow it by time, kind or state.");
        }
    }
}
