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
internal sealed class ApiEndpoints(KnownNames names, RunSearcher searcher, AuditReader audit)
{
    private const int MostRuns = 200;

    public static void Map(RouteGroupBuilder pages)
    {
        var group = pages.MapGroup("/api");
        group.WithMetadata(new ForMachines());
        group.AddEndpointFilter(SameOrigin.ForApi);
        group.AddEndpointFilter(ToldAsProblem);
        group.DisableAntiforgery(); // a cookie's user is protected by the content type and what the browser says of the origin

        var plain = group.MapGroup("");
        plain.AddEndpointFilter(KnownKeysAlone);

        plain.MapGet("/overview", async (HttpContext http, OverviewReader overview, CancellationToken ct) => Ok(ApiShapes.Overview(await overview.ReadAsync(Range(http), ct)))).WithMetadata(new QueryKeys("range"));
        plain.MapGet("/queues", async (OverviewReader overview, CancellationToken ct) => await overview.ReadAsync(FigureRange.Hour, ct) is var look ? Ok(look.Queues.Select(q => ApiShapes.Queue(q, look))) : null);
        plain.MapGet("/workers", async (OverviewReader overview, CancellationToken ct) => await overview.ReadAsync(FigureRange.Hour, ct) is var look ? Ok(look.Workers.Select(w => ApiShapes.Worker(w, look.Now))) : null);
        plain.MapGet("/health", async (WarningReader warnings, CancellationToken ct) => Ok(ApiShapes.Health(await warnings.AllAsync(ct))));
        plain.MapGet("/schedules", async (JobSchedules schedules, OverviewReader overview, CancellationToken ct) => await overview.NowAsync(ct) is var now ? Ok((await schedules.ListAsync(ct)).Select(s => ApiShapes.Schedule(s, now))) : null);
        plain.MapGet("/schedules/{name}", async (HttpContext http, ScheduleActions schedules, OverviewReader overview, CancellationToken ct) =>
            await schedules.FindAsync(http.GetName("name"), 50, ct) is var (schedule, history) ? Ok(new { schedule = ApiShapes.Schedule(schedule, await overview.NowAsync(ct)), ticks = history.Select(ApiShapes.Tick) }) : null);
        plain.MapGet("/revocations", async (JobRevocations revocations, CancellationToken ct) => Ok(await revocations.ListAsync(ct)));
        plain.MapGet("/limits", async (LimitReader limits, CancellationToken ct) => Ok((await limits.AllAsync(ct)).Limits.Select(ApiShapes.Limit)));
        plain.MapGet("/limits/{name}", async (HttpContext http, LimitReader limits, CancellationToken ct) => Ok(ApiShapes.Limit((await limits.FindAsync(http.GetName("name"), ct)).Limit)));
        plain.MapGet("/audit", (HttpContext http, CancellationToken ct) => http.RequestServices.GetRequiredService<ApiEndpoints>().AuditAsync(http, ct)).WithMetadata(new QueryKeys("before"));
        group.MapGet("/runs", (HttpContext http, CancellationToken ct) => http.RequestServices.GetRequiredService<ApiEndpoints>().RunsAsync(http, ct));
        plain.MapGet("/runs/{id}", async (HttpContext http, RunDetailsReader runs, CancellationToken ct) => http.GetRun() is var id ? Ok(ApiShapes.Run(await runs.WholeAsync(id, ct) ?? throw JobErrors.NoSuchRun(id))) : null);
        plain.MapGet("/bulk/{id}", async (HttpContext http, BulkActions bulks, CancellationToken ct) => Ok(ApiShapes.Bulk(await bulks.LookAsync(http.GetBulk(), ct))));
        group.MapPost("/bulk", (HttpContext http, CancellationToken ct) => http.RequestServices.GetRequiredService<ApiEndpoints>().BulkAsync(http, ct));
        ApiActions.Map(plain);
    }

    private async Task<IResult> RunsAsync(HttpContext http, CancellationToken ct)
    {
        var mistakes = new List<FieldError>();
        var size = 50;
        var query = new Dictionary<string, Microsoft.Extensions.Primitives.StringValues>(http.Request.Query);
        if (query.Remove("size", out var asked) && !(int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size is >= 1 and <= MostRuns))
            mistakes.Add(FieldError.InParameter("size", "range", $"A page has 1 to {MostRuns} runs."));

        var search = await names.ReadAsync(new QueryCollection(query), mistakes, ct);
        return mistakes.Count > 0 ? Problem.Input(mistakes) : Ok(ApiShapes.Runs(await searcher.FindAsync(search, size, ct)));
    }

    /// <summary>Begins an action over all that a search finds, which stands in the address as that for runs does.</summary>
    private async Task<IResult> BulkAsync(HttpContext http, CancellationToken ct)
    {
        var body = await ApiBodies.ReadAsync<BulkBody>(http);
        var mistakes = new List<FieldError>();
        var search = await names.ReadAsync(http.Request.Query, mistakes, ct);
        if (mistakes.Count > 0) return Problem.Input(mistakes);

        var bulks = http.RequestServices.GetRequiredService<BulkActions>();
        return Ok(ApiShapes.Bulk(await bulks.LookAsync(await bulks.BeginAsync(body.Action, search, http.GetActor("api"), ct), ct)));
    }

    private async Task<IResult> AuditAsync(HttpContext http, CancellationToken ct)
    {
        var text = http.Request.Query["before"].ToString();
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var before) && text.Length > 0)
            return Problem.Input(FieldError.InParameter("before", "value", $"'{text}' is no id of an audit row."));

        var (lines, _) = await audit.ReadAsync(null, text.Length > 0 ? before : null, AuditPage.Size, ct);
        return Ok(ApiShapes.Audit(lines, AuditPage.Size));
    }

    private static FigureRange Range(HttpContext http) => http.Request.Query["range"].ToString() is not { Length: > 0 } name ? FigureRange.Hour
        : FigureRange.All.FirstOrDefault(r => r.Name == name) ?? throw new ProblemException(Problem.Input(FieldError.InParameter(
            "range", "value", $"'{name}' is no range. There are {string.Join(", ", FigureRange.All.Select(r => r.Name))}.")));

    private static IResult Ok(object answer) => Results.Json(answer, OpsJson.Options);

    private static ValueTask<object?> KnownKeysAlone(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        var known = http.GetEndpoint()!.Metadata.GetMetadata<QueryKeys>()?.Names ?? [];
        var strangers = http.Request.Query.Keys.Where(key => !known.Contains(key, StringComparer.OrdinalIgnoreCase))
            .Select(key => FieldError.InParameter(key, "unknown", $"There is no '{key}' here." + OpsErrors.DidYouMean(key, known))).ToList();
        return strangers.Count > 0 ? new(Problem.Input(strangers)) : next(call);
    }

    private static async ValueTask<object?> ToldAsProblem(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        try
        {
            return await next(call);
        }
        catch (ProblemException e)
        {
            return e.Problem;
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

/// <summary>On an endpoint: what may stand in the query of its address.</summary>
internal sealed record QueryKeys(params string[] Names);
