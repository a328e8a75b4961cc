using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Keelback.Ops;

/// <summary>Who may see the pages: whom the endpoint's policy lets in; without one, in Development, who has opened the link; else nobody.</summary>
/// <remarks>
/// An endpoint with a policy was decided by the authorization middleware before it came here. The app's fallback policy does not
/// count: "any user" is not meant for what can cancel every job. That a request comes from this machine is no login either.
/// </remarks>
internal sealed class OpsGate(DevelopmentLink link, ActionGate actions)
{
    public ValueTask<object?> PassAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        var place = http.GetPlace();
        if (IsDecided(http.GetEndpoint()!.Metadata)) return actions.PassAsync(call, next);
        if (link.IsOpen(http)) return next(call);
        if (!link.Exists || http.IsForMachines()) return new(Results.NotFound());

        link.Say(place.Root);
        return new(new PageResult(Layout.Bare("The jobs pages are closed", Html.Of(
            $"""
            <p>The link that opens them is in the app's log: look for <code>/open?token=</code>. It is good for one use.</p>
            <p class="soft">Elsewhere than in Development they open only to a policy: <code>app.MapJobsPages().RequireAuthorization("…")</code>,
            or <code>Keelback:Ops:Policy</code>.</p>
            """), place), StatusCodes.Status401Unauthorized));
    }

    public static bool IsDecided(EndpointMetadataCollection metadata) =>
        metadata.GetMetadata<IAllowAnonymous>() is not null
        || metadata.GetMetadata<IAuthorizeData>() is not null
        || metadata.GetMetadata<AuthorizationPolicy>() is not null;
}
