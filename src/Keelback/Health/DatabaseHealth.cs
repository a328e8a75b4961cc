using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Keelback;

/// <summary>Whether PostgreSQL answers.</summary>
internal sealed class DatabaseHealth(NpgsqlDataSource db) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var command = db.CreateCommand("select 1");
        await command.ExecuteScalarAsync(cancellationToken); // what it throws is "unhealthy"
        return HealthCheckResult.Healthy();
    }
}
