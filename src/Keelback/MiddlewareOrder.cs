using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>The one order of the middleware: first in the list is first to see a request, and last to see its response.</summary>
internal static class MiddlewareOrder
{
    private static readonly Action<WebApplication>[] s_steps =
    [
        app => app.UseMiddleware<RequestActivity>(),    // measures everything that follows
        app => app.UseSecurityHeaders(),                // on every response, those of failures too
        app => app.UseMiddleware<ConnectionClose>(),    // while draining
        app => app.UseProblems(),                       // answers for whatever fails below it
        app => app.UseRouting(),                        // so that what follows knows the endpoint
        Where<IAuthenticationSchemeProvider>(app => app.UseAuthentication()),
        Where<IAuthorizationPolicyProvider>(app => app.UseAuthorization()),
    ];

    public static void Use(WebApplication app)
    {
        foreach (var step in s_steps) step(app);
    }

    // What the app did not add has no services to run with.
    private static Action<WebApplication> Where<TService>(Action<WebApplication> use) => app =>
    {
        if (app.Services.GetService<TService>() is not null) use(app);
    };
}
