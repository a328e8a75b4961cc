using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Keelback;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it wants requests. 200 or 503, and the names of the checks.</summary>
internal static class HealthEndpoints
{
    /// <summary>The tag of a health check that decides readiness; the app may add checks of its own with it.</summary>
    public const string Ready = "ready";

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);

    public static void Add(IServiceCollection services) => services.AddHealthChecks()
        .AddCheck<Draining>("draining", tags: [Ready])
        .AddCheck<DatabaseHealth>("database", tags: [Ready], timeout: s_timeout)
        .AddCheck<SchemaHealth>("schema", tags: [Ready], timeout: s_timeout);

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        // Anonymous, as probes are; so the answer tells states and no reasons.
        endpoints.MapHealthChecks("/health/live", new() { Predicate = _ => false, ResponseWriter = WriteAsync }).AllowAnonymous();
        endpoints.MapHealthChecks("/health/ready", new() { Predicate = c => c.Tags.Contains(Ready), ResponseWriter = WriteAsync }).AllowAnonymous();
    }

    private static Task WriteAsync(HttpContext http, HealthReport report)
    {
        if (report.Entries.Count > 0) http.RequestServices.GetRequiredService<ReadinessLog>().Note(report);

        return http.Response.WriteAsJsonAsync(new
        {
            status = report.Status.ToString(),
            checks = report.Entries.ToDictionary(e => e.Key, e => e.Value.Status.ToString()),
        });
    }
}
