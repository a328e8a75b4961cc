using Keelback.Postgres;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Keelback.Ops;

/// <summary>Degraded while the watch has something to warn of, or nobody can say: the process serves on, and a person should look.</summary>
internal sealed class JobHealth(WarningReader warnings) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<Warning> now;
        try
        {
            now = await warnings.AllAsync(cancellationToken);
        }
        catch (Exception e) when (Outage.Is(e))
        {
            return HealthCheckResult.Degraded("The database does not answer."); // which has a check of its own
        }

        return now.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(string.Join(" ", now.Select(w => w.Text)), data: now.ToDictionary(w => w.Key, w => (object)w.Text));
    }
}
