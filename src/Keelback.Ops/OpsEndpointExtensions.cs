using System.Diagnostics.CodeAnalysis;
using Keelback.Ops;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>The jobs pages among an app's endpoints.</summary>
public static class OpsEndpointExtensions
{
    /// <summary>Maps the jobs pages and their JSON API. <c>UseKeelback</c> does so at <c>Keelback:Ops:Path</c>; at the same place twice is once.</summary>
    /// <remarks>
    /// They are closed until a policy is named, here or in <c>Keelback:Ops:Policy</c>: they answer 404, and in Development open by the
    /// link that the start prints. A fallback policy of the app does not open them.
    /// </remarks>
    /// <returns>All of their endpoints, to say who may use them.</returns>
    /// <exception cref="KeelbackException">KB1702: <see cref="OpsBuilderExtensions.AddOps"/> was not called.</exception>
    public static IEndpointConventionBuilder MapJobsPages(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string path = "/ops/jobs")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var map = services.GetService<OpsMap>() ?? throw OpsErrors.NotAdded();

        return map.Once(path, () =>
        {
            var group = Closed(endpoints.MapGroup(path), path, services);
            PageEndpoints.Map(group);
            ApiEndpoints.Map(group);
            return group;
        });
    }

    /// <summary>Maps the jobs' figures in Prometheus' text format. <c>UseKeelback</c> does so at <c>Keelback:Ops:MetricsPath</c>; at the same place twice is once.</summary>
    /// <remarks>Closed as the pages are; a scraper without a login needs an explicit <c>.AllowAnonymous()</c>, and a network that keeps others out.</remarks>
    /// <returns>The endpoint, to say who may read it.</returns>
    /// <exception cref="KeelbackException">KB1702: <see cref="OpsBuilderExtensions.AddOps"/> was not called.</exception>
    public static IEndpointConventionBuilder MapJobsMetrics(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string path = "/metrics")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var map = services.GetService<OpsMap>() ?? throw OpsErrors.NotAdded();

        return map.Once(path, () =>
        {
            var group = Closed(endpoints.MapGroup(path), path, services);
            group.WithMetadata(new ForMachines());
            group.MapGet("", async (MetricsReader metrics, CancellationToken ct) => Results.Text(await metrics.ReadAsync(ct), PrometheusText.ContentType));
            return group;
        });
    }

    private static RouteGroupBuilder Closed(RouteGroupBuilder group, string path, IServiceProvider services)
    {
        group.WithMetadata(new PlaceMetadata(path));
        group.ExcludeFromDescription();
        group.AddEndpointFilter((call, next) => call.HttpContext.RequestServices.GetRequiredService<OpsGate>().PassAsync(call, next));

        // Read when the endpoints are built: what the app says of the pages comes after they are mapped, and wins.
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            if (endpoint.Metadata.Any(m => m is IAuthorizeData or IAllowAnonymous or AuthorizationPolicy)) return;
            if (services.GetRequiredService<IOptions<OpsOptions>>().Value.Policy is { } policy) endpoint.Metadata.Add(new AuthorizeAttribute(policy));
        });
        return group;
    }
}
