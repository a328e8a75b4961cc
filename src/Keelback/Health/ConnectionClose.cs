using Microsoft.AspNetCore.Http;

namespace Keelback;

/// <summary>While draining, asks HTTP/1 clients to come back on a new connection, which will lead them elsewhere.</summary>
internal sealed class ConnectionClose(RequestDelegate next, Draining draining)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (draining.IsDraining && HttpProtocol.IsHttp11(http.Request.Protocol)) http.Response.Headers.Connection = "close";
        return next(http);
    }
}
