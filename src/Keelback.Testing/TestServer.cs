namespace Keelback.Testing;

/// <summary>The PostgreSQL server that test databases are made on.</summary>
internal static class TestServer
{
    /// <summary>An account that may create databases, on the server named by KEELBACK_TEST_DB.</summary>
    /// <exception cref="KeelbackException">KB1602: there is no server.</exception>
    public static string ConnectionString() =>
        Environment.GetEnvironmentVariable("KEELBACK_TEST_DB") is { Length: > 0 } configured
            ? configured
            : throw TestingErrors.NoServer();
}
