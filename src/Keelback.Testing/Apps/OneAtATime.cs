using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Keelback.Testing;

/// <summary>Where there is one connection there is one request at a time: a connection runs one statement at a time.</summary>
internal sealed class OneAtATime : IStartupFilter, IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    public bool Enabled { get; set; }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (HttpContext http, RequestDelegate rest) =>
        {
            if (!Enabled)
            {
                await rest(http);
                return;
            }

            await _turn.WaitAsync(http.RequestAborted);
            try
            {
                await rest(http);
            }
            finally
            {
                _turn.Release();
            }
        });
        next(app);
    };

    public void Dispose() => _turn.Dispose();
}
