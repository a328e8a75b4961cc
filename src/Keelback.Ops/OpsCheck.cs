using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback.Ops;

/// <summary>Finds, before the start, that a policy of the jobs pages does not exist.</summary>
internal sealed class OpsCheck(IServiceProvider services) : ICheck
{
    public async ValueTask RunAsync(Findings findings, CancellationToken ct)
    {
        if (Options() is not { } options) return;

        foreach (var (key, policy) in new[] { (nameof(options.Policy), options.Policy), (nameof(options.ActionPolicy), options.ActionPolicy) })
        {
            if (policy is null || (services.GetService<IAuthorizationPolicyProvider>() is { } provider && await provider.GetPolicyAsync(policy) is not null)) continue;

            findings.Error(OpsErrors.NoSuchPolicyCode, OpsErrors.NoPolicy(key, policy),
                $"Add it: builder.Services.AddAuthorizationBuilder().AddPolicy(\"{policy}\", p => p.RequireRole(\"operator\")).");
        }
    }

    private OpsOptions? Options()
    {
        try
        {
            return services.GetRequiredService<IOptions<OpsOptions>>().Value;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return null; // its own check tells it
        }
    }
}
