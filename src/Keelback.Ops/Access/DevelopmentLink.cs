using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>The way in where no policy is named, in Development only: a link in the log, good for one use, that becomes a cookie.</summary>
/// <remarks>Links and sessions live in this process's memory: 256 random bits each, of which only hashes are kept.</remarks>
internal sealed class DevelopmentLink(
    IHostEnvironment environment, IServiceProvider services, IOptions<OpsOptions> options, TimeProvider clock, ILogger<DevelopmentLink> log)
{
    private const string Cookie = "keelback-ops";
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _sessions = new(); // by hash: until when
    private string? _token;
    private DateTimeOffset _saidAt = DateTimeOffset.MinValue;

    /// <summary>Whether there is such a way at all.</summary>
    public bool Exists => environment.IsDevelopment();

    /// <summary>Writes the link to the log; at most every 5 s, since anybody may ask for it.</summary>
    public void Say(string root)
    {
        string token;
        lock (_gate)
        {
            if (clock.GetUtcNow() - _saidAt < s_pause) return;
            _saidAt = clock.GetUtcNow();
            token = _token ??= Random();
        }

        Log.OpenLink(log, $"{Address()}{root}/open?token={token}");
    }

    /// <summary>Turns the token into a session. False: it is another, or was used.</summary>
    public bool Open(HttpContext http, string? token, string root)
    {
        lock (_gate)
        {
            if (_token is null || token is null || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(_token)))
                return false;
            _token = null;
        }

        Hold(http, Random(), root);
        return true;
    }

    /// <summary>Whether the request carries a session that has not ended; it is renewed.</summary>
    public bool IsOpen(HttpContext http)
    {
        if (!Exists || http.Request.Cookies[Cookie] is not { Length: > 0 } session) return false;

        var now = clock.GetUtcNow();
        var hash = Hash(session);
        if (!_sessions.TryGetValue(hash, out var until)) return false;
        if (until <= now)
        {
            _sessions.TryRemove(hash, out _);
            return false;
        }

        _sessions[hash] = now + options.Value.DevelopmentSession;
        return true;
    }

    private void Hold(HttpContext http, string session, string root)
    {
        foreach (var (hash, until) in _sessions)
            if (until <= clock.GetUtcNow()) _sessions.TryRemove(hash, out _);

        _sessions[Hash(session)] = clock.GetUtcNow() + options.Value.DevelopmentSession;
        http.Response.Cookies.Append(Cookie, session, new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Secure = http.Request.IsHttps,
            Path = root,
            IsEssential = true,
        });
    }

    private string Address()
    {
        var addresses = services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses;
        var address = addresses?.FirstOrDefault(a => a.StartsWith("https:", StringComparison.Ordinal)) ?? addresses?.FirstOrDefault();
        return address?.Replace("://[::]", "://localhost", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal).TrimEnd('/') ?? "";
    }

    private static string Random() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static string Hash(string session) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(session)));
}
