using Keelback.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>Who of those that see the pages may act: whom <see cref="OpsOptions.ActionPolicy"/> lets; without one, all of them.</summary>
/// <remarks>Not left to the authorization middleware: who may not act still sees the pages, without their forms, and <c>AllowAnonymous</c> opens no action.</remarks>
internal sealed class ActionGate(IOptions<OpsOptions> options)
{
    private const string Refusal = "You may see the jobs, and not act on them.";

    public async ValueTask<object?> PassAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        var acts = Acts(http);
        if (options.Value.ActionPolicy is not { } name || (!acts && http.IsForMachines())) return await next(call);

        var policy = await http.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>().GetPolicyAsync(name) ?? throw OpsErrors.NoSuchPolicy(nameof(OpsOptions.ActionPolicy), name);
        var evaluator = http.RequestServices.GetRequiredService<IPolicyEvaluator>();
        var verdict = await evaluator.AuthorizeAsync(policy, await evaluator.AuthenticateAsync(policy, http), http, http);
        if (verdict.Succeeded) return await next(call);
        if (acts) return verdict.Challenged ? Results.Challenge(authenticationSchemes: [.. policy.AuthenticationSchemes]) : await RefuseAsync(http);

        http.SetMayNotAct();
        return await next(call);
    }

    private static bool Acts(HttpContext http) =>
        !(HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method)) || http.GetEndpoint()!.Metadata.GetMetadata<ForActors>() is not null;

    private static async Task<IResult> RefuseAsync(HttpContext http) => http.IsForMachines()
        ? new Problem(StatusCodes.Status403Forbidden, Refusal)
        : await http.RequestServices.GetRequiredService<PageEndpoints>().TellAsync(http, StatusCodes.Status403Forbidden, "Not done", [Refusal], http.RequestAborted);
}

/// <summary>On pages that only lead to an action.</summary>
internal sealed record ForActors;
