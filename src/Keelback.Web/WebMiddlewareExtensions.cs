using Keelback.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>The web ground's middleware; <c>UseKeelback()</c> puts it in order.</summary>
public static class WebMiddlewareExtensions
{
    /// <summary>Puts Content-Security-Policy, nosniff, no-referrer, COOP, CORP and (https, outside Development) HSTS on every response. Goes first.</summary>
    public static IApplicationBuilder UseSecurityHeaders(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.UseMiddleware<SecurityHeaders>();
    }

    /// <summary>Answers failures, thrown or only a status, with problem documents. Goes right after the security headers.</summary>
    public static IApplicationBuilder UseProblems(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<BodyReader>() is null) throw WebErrors.NotAdded(nameof(UseProblems));
        return app.UseMiddleware<ProblemMiddleware>();
    }
}
