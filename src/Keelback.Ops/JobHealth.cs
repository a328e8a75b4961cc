using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Keelback.Ops;

/// <summary>Degraded while the watch has something to warn of: the process serves on, and a person should look.</summary>
internal sealed class JobHealth(WarningReader warnings) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var now = await warnings.AllAsync(cancellationToken);
        return now.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(string.Join(" ", now.Select(w => w.Text)), data: now.ToDictionary(w => w.Key, w => (object)w.Text));
    }
}
