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

    // Where nobody listens: who asks it after all learns that at once.
    private const string Nowhere = "Host=127.0.0.1;Port=1;Database=none;Username=none";

    /// <summary>What is configured; in Development, when nothing is, the project's private cluster.</summary>
    /// <exception cref="KeelbackException">KB1001: nothing is configured, and this is not Development.</exception>
    public static string Find(PostgresOptions options, IConfiguration configuration, IHostEnvironment environment, ProjectCluster cluster) =>
        Configured(options, configuration)
        ?? (options.ModelOnly ? Nowhere : environment.IsDevelopment() ? cluster.ConnectionString() : throw PostgresErrors.NoConnection(environment.EnvironmentName));
}
