using Keelback.Web;
using Microsoft.AspNetCore.Http;

namespace Keelback.Resources;

/// <summary>What every verb asks of a request.</summary>
internal static class ResourceRequest
{
    /// <summary>The key in the path; null, with 404, when no row could have it.</summary>
    public static (object? Key, Problem? Problem) Key(HttpContext http, Type type)
    {
        var text = http.Request.RouteValues["id"]?.ToString() ?? "";
        return QueryValue.TryRead(type, text, out var key)
            ? (key, null)
            : (null, new Problem(StatusCodes.Status404NotFound, Errors:
                [FieldError.InParameter("id", "type", $"Expected {TypeNames.Of(type)}, got '{Shown.Text(text)}'.")]));
    }

    public static Problem NotFound(object key) => new(StatusCodes.Status404NotFound, Errors:
        [FieldError.InParameter("id", "notFound", $"There is no row '{Shown.Text(key.ToString()!)}'.")]);

    /// <summary>Refuses what no verb takes: a query where there is none, or an Accept without JSON.</summary>
    public static Problem? Refuse(HttpRequest request, bool takesQuery)
    {
        if (!takesQuery && request.Query.Count > 0)
        {
            return Problem.Input([.. request.Query.Keys.Select(key =>
                FieldError.InParameter(Shown.Text(key), "unknown", "This address takes no query."))]);
        }

        return AcceptsJson(request)
            ? null
            : new Problem(StatusCodes.Status406NotAcceptable, Errors:
                [FieldError.InParameter("Accept", "accept", "Only application/json can be answered.")]);
    }

    private static bool AcceptsJson(HttpRequest request)
    {
        if (request.Headers.Accept.Count == 0) return true;

        return request.GetTypedHeaders().Accept is not { Count: > 0 } accepted
            || accepted.Any(type => type.Quality is not 0
                && (type.MatchesAllTypes || type.MatchesMediaType("application/json") || type.MatchesMediaType("application/*")));
    }
}
