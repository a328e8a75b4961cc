using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback.Resources;

/// <summary>A resource that nobody decided about does not start.</summary>
internal sealed class ResourcePolicyCheck(ResourceMap map, IOptions<AuthorizationOptions> authorization) : ICheck, IHostedLifecycleService
{
    public ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        if (Undecided() is { } message) findings.Error(ResourceErrors.NoPolicyCode, message, ResourceErrors.NoPolicyHint);
        return ValueTask.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) =>
        Undecided() is { } message ? throw ResourceErrors.NoPolicy(message) : Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private string? Undecided()
    {
        if (authorization.Value.FallbackPolicy is not null) return null;

        var undecided = map.Endpoints().Where(e => !IsDecided(e.Route)).GroupBy(e => e.Resource.Resource.Name)
            .Select(r => $"{r.Key} ({string.Join(", ", r.Select(e => "/" + e.Route.RoutePattern.RawText!.Trim('/')).Distinct())})")
            .ToList();
        return undecided.Count == 0 ? null : $"Resources without a policy: {string.Join("; ", undecided)}.";
    }

    private static bool IsDecided(RouteEndpoint route) =>
        route.Metadata.GetMetadata<IAllowAnonymous>() is not null
        || route.Metadata.GetMetadata<IAuthorizeData>() is not null
        || route.Metadata.GetMetadata<AuthorizationPolicy>() is not null;
}
