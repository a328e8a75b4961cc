using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Keelback.Postgres;

/// <summary>Decides which PostgreSQL an app talks to.</summary>
internal static class ConnectionSource
{
    /// <summary>What is configured, as Npgsql's keywords; null when nothing is.</summary>
    /// <exception cref="KeelbackException">KB1002, KB1007: it cannot be read.</exception>
    public static string? Configured(PostgresOptions options, IConfiguration configuration)
    {
        string?[] places = [options.ConnectionString, configuration.GetConnectionString("Keelback"), configuration["DATABASE_URL"]];
        var configured = places.FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));

        return configured is null ? null : ConnectionUrl.ToKeywords(configured);
    }

    public static string Find(PostgresOptions options, IConfiguration configuration, IHostEnvironment environment) =>
        Configured(options, configuration) ?? throw PostgresErrors.NoConnection(environment.EnvironmentName);
}
