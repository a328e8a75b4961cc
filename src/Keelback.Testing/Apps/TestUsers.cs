using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Keelback.Testing;

/// <summary>Makes the callers of <c>As(user)</c> known to the app, before any of its own middleware.</summary>
internal sealed class TestUsers : IStartupFilter
{
    public const string Header = "Keelback-Test-User";

    private readonly ConcurrentDictionary<string, ClaimsPrincipal> _users = new();
    private int _next;

    /// <summary>Returns what the header must say.</summary>
    public string Add(ClaimsPrincipal user)
    {
        var key = Interlocked.Increment(ref _next).ToString(CultureInfo.InvariantCulture);
        _users[key] = user;
        return key;
    }

    public void Clear() => _users.Clear();

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((HttpContext http, RequestDelegate rest) =>
        {
            if (http.Request.Headers.TryGetValue(Header, out var key) && _users.TryGetValue(key.ToString(), out var user)) http.User = user;
            return rest(http);
        });
        next(app);
    };
}
