using Keelback.Postgres;

namespace Keelback.Testing;

/// <summary>The PostgreSQL server that test databases are made on.</summary>
internal static class TestServer
{
    /// <summary>An account that may create databases: on the server named by KEELBACK_TEST_DB, else on the project's private cluster.</summary>
    /// <exception cref="KeelbackException">KB1020-KB1028: there is no server, and none can be started.</exception>
    public static (string ConnectionString, IDisposable? Seat) Take() =>
        Environment.GetEnvironmentVariable("KEELBACK_TEST_DB") is { Length: > 0 } configured
            ? (ConnectionUrl.ToKeywords(configured), null)
            : ProjectCluster.Take(AppContext.BaseDirectory);
}
