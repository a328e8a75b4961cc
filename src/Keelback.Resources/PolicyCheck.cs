using Keelback.Postgres;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Keelback.Resources;

/// <summary>A resource or page that nobody decided about does not start.</summary>
internal sealed class PolicyCheck(ResourceMap map, IOptions<AuthorizationOptions> authorization) : HostStep, ICheck
{
    public ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        if (Undecided() is { } message) findings.Error(ResourceErrors.NoPolicyCode, message, ResourceErrors.NoPolicyHint);
        return ValueTask.CompletedTask;
    }

    public override Task StartingAsync(CancellationToken cancellationToken) =>
        Undecided() is { } message ? throw ResourceErrors.NoPolicy(message) : Task.CompletedTask;

    private string? Undecided()
    {
        if (authorization.Value.FallbackPolicy is not null) return null;

        var undecided = map.Routes()
            .Select(route => (Route: route, route.Metadata.GetMetadata<PolicyNeeded>()?.For))
            .Where(e => e.For is not null && !IsDecided(e.Route))
            .GroupBy(e => e.For)
            .Select(r => $"{r.Key} ({string.Join(", ", r.Select(e => "/" + e.Route.RoutePattern.RawText!.Trim('/')).Distinct())})")
            .ToList();
        return undecided.Count == 0 ? null : $"Mapped without a policy: {string.Join("; ", undecided)}.";
    }

    private static bool IsDecided(RouteEndpoint route) =>
        route.Metadata.GetMetadata<IAllowAnonymous>() is not null
        || route.Metadata.GetMetadata<IAuthorizeData>() is not null
        || route.Metadata.GetMetadata<AuthorizationPolicy>() is not null;
}

/// <summary>Marks an endpoint about which somebody must decide who may call it.</summary>
/// <param name="For">What a person calls it.</param>
internal sealed record PolicyNeeded(string For);
