using Keelback.Postgres;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Keelback.Web;

/// <summary>Turns every failure, thrown or only a bare status, into a problem document.</summary>
internal sealed class ProblemMiddleware(
    RequestDelegate next, IEnumerable<IProblemMapper> mappers, ILogger<ProblemMiddleware> log)
{
    private readonly IProblemMapper[] _mappers = [.. mappers];

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to read an answer, and what failed is most likely the cancelled work itself.
            return;
        }
        catch (Exception e) when (http.Response.HasStarted)
        {
            Log.ResponseCut(log, http.Request.Method, http.Request.Path, ProblemWriter.TraceId(http), e);
            http.Abort();
            return;
        }
        catch (Exception e)
        {
            await ProblemWriter.WriteAsync(http, Map(e, http));
            return;
        }

        if (IsBare(http.Response)) await ProblemWriter.WriteAsync(http, BareStatus.Explain(http));
    }

    private Problem Map(Exception e, HttpContext http)
    {
        var problem = e switch
        {
            ProblemException thrown => thrown.Problem,
            BadHttpRequestException bad => BadRequest.Explain(bad, http),
            _ => null,
        };
        for (var i = 0; problem is null && i < _mappers.Length; i++) problem = _mappers[i].Map(e, http);

        if (problem is { Status: < 500 })
            Log.RequestRefused(log, http.Request.Method, http.Request.Path, problem.Status, problem.Title, e);
        else if (problem is not { Status: StatusCodes.Status503ServiceUnavailable })
            Log.RequestFailed(log, http.Request.Method, http.Request.Path, problem?.Status ?? 500, ProblemWriter.TraceId(http), e);
        else if (Outage.MayLog(TimeProvider.System, out var unsaid)) // every request fails while the database is away
            Log.Unavailable(log, http.Request.Method, http.Request.Path, e.GetBaseException().Message, unsaid);

        return problem ?? new Problem(StatusCodes.Status500InternalServerError);
    }

    private static bool IsBare(HttpResponse response) =>
        response is { HasStarted: false, StatusCode: >= 400 and < 600, ContentLength: null } && string.IsNullOrEmpty(response.ContentType);
}
