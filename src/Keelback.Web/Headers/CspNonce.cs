using System.Security.Cryptography;
using Keelback.Web;
using Microsoft.AspNetCore.Http;

namespace Keelback.Web
{
    /// <summary>One response's nonce; there is none until a page asks.</summary>
    internal sealed record CspNonce(string Value);
}

namespace Keelback
{
    /// <summary>The Content-Security-Policy on an <see cref="HttpContext"/>.</summary>
    public static class CspHttpContextExtensions
    {
        /// <summary>
        /// The nonce that lets an inline script or style of this response run: 16 random bytes in base64, made on the first call.
        /// Must be asked for before the response begins.
        /// </summary>
        public static string GetCspNonce(this HttpContext http)
        {
            ArgumentNullException.ThrowIfNull(http);
            if (http.Features.Get<CspNonce>() is not { } nonce)
                http.Features.Set(nonce = new CspNonce(Convert.ToBase64String(RandomNumberGenerator.GetBytes(16))));

            return nonce.Value;
        }
    }
}
