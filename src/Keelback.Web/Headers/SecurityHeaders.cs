using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback.Web;

/// <summary>Puts the security headers on every response, whoever wrote it; an endpoint that set one itself keeps its own.</summary>
internal sealed class SecurityHeaders(RequestDelegate next, IOptions<WebOptions> options, IHostEnvironment environment)
{
    private readonly string _policy = options.Value.ContentSecurityPolicy;

    private readonly string? _hsts = environment.IsDevelopment() || options.Value.Hsts <= TimeSpan.Zero
        ? null
        : FormattableString.Invariant($"max-age={(long)options.Value.Hsts.TotalSeconds}; includeSubDomains");

    public Task InvokeAsync(HttpContext http)
    {
        // When the response starts, not now: an exception handler clears what was set before it.
        http.Response.OnStarting(static state =>
        {
            var (self, http) = ((SecurityHeaders, HttpContext))state;
            self.Apply(http);
            return Task.CompletedTask;
        }, (this, http));

        return next(http);
    }

    private void Apply(HttpContext http)
    {
        var headers = http.Response.Headers;
        if (headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = Policy(http);
        if (headers.XContentTypeOptions.Count == 0) headers.XContentTypeOptions = "nosniff";
        headers.TryAdd("Referrer-Policy", "no-referrer");
        headers.TryAdd("Cross-Origin-Opener-Policy", "same-origin");
        headers.TryAdd("Cross-Origin-Resource-Policy", "same-origin");
        if (_hsts is not null && http.Request.IsHttps && headers.StrictTransportSecurity.Count == 0)
            headers.StrictTransportSecurity = _hsts;
    }

    private string Policy(HttpContext http) => http.Features.Get<CspNonce>() is { } nonce
        ? CspPolicy.With(_policy, nonce)
        : _policy;
}
