using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Keelback;

/// <summary>Whether the database has every migration that this code knows: ours and the app's.</summary>
internal sealed class SchemaHealth(PendingMigrations pending) : IHealthCheck
{
    // Once there, migrations stay: the question costs the database nothing after its first "yes".
    private volatile bool _complete;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        _complete = _complete || !await pending.AnyAsync(cancellationToken);
        return _complete ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
    }
}
