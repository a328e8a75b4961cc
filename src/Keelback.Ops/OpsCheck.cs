using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>Finds, before the start, that the policy of the jobs pages does not exist.</summary>
internal sealed class OpsCheck(IServiceProvider services) : ICheck
{
    public async ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        if (Policy() is not { } policy) return;
        if (services.GetService<IAuthorizationPolicyProvider>() is { } provider && await provider.GetPolicyAsync(policy) is not null) return;

        findings.Error(OpsErrors.NoSuchPolicyCode, $"Keelback:Ops:{nameof(OpsOptions.Policy)} names '{policy}', and there is no such authorization policy.",
            $"Add it: builder.Services.AddAuthorizationBuilder().AddPolicy(\"{policy}\", p => p.RequireRole(\"operator\")).");
    }

    private string? Policy()
    {
        try
        {
            return services.GetRequiredService<IOptions<OpsOptions>>().Value.Policy;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return null; // its own check tells it
        }
    }
}
