using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Decides which PostgreSQL an app talks to.</summary>
internal static class ConnectionSource
{
    public static string Find(PostgresOptions options, IConfiguration configuration, IHostEnvironment environment)
    {
        var configured = options.ConnectionString
            ?? configuration.GetConnectionString("Keelback")
            ?? configuration["DATABASE_URL"];

        return string.IsNullOrWhiteSpace(configured)
            ? throw PostgresErrors.NoConnection(environment.EnvironmentName)
            : FromUrl(configured);
    }

    private static string FromUrl(string text)
    {
        if (!text.Contains("://", StringComparison.Ordinal)) return text;

        var url = new Uri(text);
        if (url.Scheme is not ("postgres" or "postgresql")) throw PostgresErrors.BadUrl(url.Scheme);

        var user = url.UserInfo.Split(':', 2);
        var parts = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host,
            Port = url.Port > 0 ? url.Port : 5432,
            Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')),
            Username = Uri.UnescapeDataString(user[0]),
        };
        if (user.Length > 1) parts.Password = Uri.UnescapeDataString(user[1]);

        return parts.ConnectionString;
    }
}
