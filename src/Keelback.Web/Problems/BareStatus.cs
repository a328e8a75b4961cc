using Microsoft.AspNetCore.Http;

namespace Keelback.Web;

/// <summary>Finds words for a response that is only a status.</summary>
internal static class BareStatus
{
    public static Problem Explain(HttpContext http)
    {
        var (request, response) = (http.Request, http.Response);
        return response.StatusCode switch
        {
            StatusCodes.Status400BadRequest => BadRequest.Explain(http),
            StatusCodes.Status404NotFound when http.GetEndpoint() is null =>
                new(404, "No resource has this path."),
            StatusCodes.Status405MethodNotAllowed =>
                new(405, $"{request.Method} is not allowed here; allowed: {response.Headers.Allow}."),
            StatusCodes.Status415UnsupportedMediaType => UnsupportedType(request, "application/json"),
            var status => new(status),
        };
    }

    public static Problem UnsupportedType(HttpRequest request, string expected) => new(415, Errors:
    [
        FieldError.InParameter("Content-Type", "contentType", string.IsNullOrEmpty(request.ContentType)
            ? $"Expected {expected}, got no content type."
            : $"Expected {expected}, got {Shown.Text(request.ContentType)}."),
    ]);
}
