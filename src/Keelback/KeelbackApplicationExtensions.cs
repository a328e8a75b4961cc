using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback;

/// <summary>The middleware, and the way in.</summary>
public static class KeelbackApplicationExtensions
{
    /// <summary>
    /// Puts the middleware in its order (request activity, security headers, problem documents, routing, authentication, authorization)
    /// and maps <c>/health/live</c>, <c>/health/ready</c> and the jobs pages, which are closed until a policy is named. Your own middleware and endpoints come after it.
    /// </summary>
    /// <remarks>Safe to call twice.</remarks>
    public static WebApplication UseKeelback(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var pipeline = app.Services.GetRequiredService<PipelineState>();
        if (pipeline.InUse) return app;

        pipeline.InUse = true;
        MiddlewareOrder.Use(app);
        HealthEndpoints.Map(app);
        OpsEndpoints.Map(app);
        return app;
    }

    /// <summary>
    /// Runs what <paramref name="args"/> say and returns the process's exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    /// Without a command it serves; <c>help</c> lists the commands. Arguments that begin with <c>--</c> before a command are configuration.
    /// </summary>
    public static async Task<int> RunKeelbackAsync(this IHost app, string[] args, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(args);

        try
        {
            var code = await ActivatorUtilities.CreateInstance<Shell>(app.Services, app).RunAsync(args, ct);
            return code == 0 ? Environment.ExitCode : code; // a worker that recycles its process says with what
        }
        finally
        {
            if (app is IAsyncDisposable disposable) await disposable.DisposeAsync();
            else app.Dispose();
        }
    }
}
