using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Keelback;

/// <summary>Gives ASP.NET Core's request activity the name and tags of OpenTelemetry's HTTP conventions.</summary>
internal sealed class RequestActivity(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext http)
    {
        var activity = Activity.Current;
        if (activity is not { IsAllDataRequested: true })
        {
            await next(http);
            return;
        }

        activity.SetTag("http.request.method", http.Request.Method);
        activity.SetTag("url.path", http.Request.Path.Value);
        try
        {
            await next(http);
        }
        finally
        {
            var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
            activity.DisplayName = route is null ? http.Request.Method : $"{http.Request.Method} {route}";
            activity.SetTag("http.route", route);
            activity.SetTag("http.response.status_code", http.Response.StatusCode);
            if (http.Response.StatusCode >= 500) activity.SetStatus(ActivityStatusCode.Error);
        }
    }
}
