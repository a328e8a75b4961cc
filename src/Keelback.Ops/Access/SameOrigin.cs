using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Keelback.Ops;

/// <summary>Keeps other sites from using a browser's cookies: by what the browser says of the request's origin, and for forms by a token too.</summary>
internal static class SameOrigin
{
    private const string Refusal = "The request did not come from these pages, or they were open for too long. Go back, load the page again, and try once more.";

    private const string Keys = "If that happens again and again, the process that wrote the page and the one that was asked have not the same data-protection keys, " +
        "or they were lost by a restart: KB1728 says how all processes keep the same.";

    /// <summary>For every unsafe request of a form.</summary>
    public static async ValueTask<object?> ForForms(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        if (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method)) return await next(call);
        if (!IsOwn(http) || !await http.RequestServices.GetRequiredAntiforgery().IsRequestValidAsync(http))
            return await http.RequestServices.GetRequiredService<PageEndpoints>().TellAsync(http, StatusCodes.Status403Forbidden, "Not done", [Refusal, Keys], http.RequestAborted);

        return await next(call);
    }

    /// <summary>For every unsafe request of the JSON API: no form can send JSON, and no other site's script may.</summary>
    public static async ValueTask<object?> ForApi(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        if (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method)) return await next(call);
        if (!IsOwn(http)) return new Problem(StatusCodes.Status403Forbidden, Refusal);
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || type.MediaType != "application/json")
            return new Problem(StatusCodes.Status415UnsupportedMediaType, "Send Content-Type: application/json.");

        return await next(call);
    }

    // A browser that says nothing is an old one, or none: then the token, or the content type, decides alone.
    private static bool IsOwn(HttpContext http)
    {
        var headers = http.Request.Headers;
        var site = headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0) return site is "same-origin" or "none";

        var origin = headers.Origin.ToString();
        return origin.Length == 0 || origin.Equals($"{http.Request.Scheme}://{http.Request.Host}", StringComparison.OrdinalIgnoreCase);
    }
}
