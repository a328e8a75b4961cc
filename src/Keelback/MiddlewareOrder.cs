using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>The one order of the middleware, as data: first in the list is first to see a request, and last to see its response.</summary>
internal static class MiddlewareOrder
{
    public static IReadOnlyList<MiddlewareStep> Steps { get; } =
    [
        new("request activity", "measures everything that follows", app => app.UseMiddleware<RequestActivity>()),
        new("security headers", "on every response, those of failures too", app => app.UseSecurityHeaders()),
        new("connection close", "while draining", app => app.UseMiddleware<ConnectionClose>()),
        new("problems", "answers for whatever fails below it", app => app.UseProblems()),
        new("routing", "so that what follows knows the endpoint", app => app.UseRouting()),
        new("authentication", "who it is", app => app.UseAuthentication(), services => services.GetService<IAuthenticationSchemeProvider>() is not null),
        new("authorization", "whether they may", app => app.UseAuthorization(), services => services.GetService<IAuthorizationPolicyProvider>() is not null),
    ];
}

/// <param name="Name">For people.</param>
/// <param name="Why">The reason for its place.</param>
/// <param name="Use">Adds it.</param>
/// <param name="When">Whether the app has what it needs; null: always.</param>
internal sealed record MiddlewareStep(string Name, string Why, Action<IApplicationBuilder> Use, Func<IServiceProvider, bool>? When = null);
