namespace Keelback.Web;

/// <summary>How the app answers HTTP. Bound from the <c>Keelback:Web</c> section.</summary>
public sealed class WebOptions
{
    /// <summary>Largest request body in bytes; more is answered with 413. Default 1 MiB. An endpoint raises it for itself with <c>RequestSizeLimit</c>.</summary>
    public long MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// The Content-Security-Policy of every response that does not set its own; where a nonce was asked for,
    /// <c>script-src</c> and <c>style-src</c> with that nonce are added.
    /// </summary>
    public string ContentSecurityPolicy { get; set; } =
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>How long browsers shall insist on https. Default 365 days; sent over https and outside Development only; zero turns it off.</summary>
    public TimeSpan Hsts { get; set; } = TimeSpan.FromDays(365);
}
