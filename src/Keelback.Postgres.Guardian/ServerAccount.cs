namespace Keelback.Postgres.Guardian;

/// <summary>The user that PostgreSQL runs as: this one, or another where this one is root, as whom it refuses to run.</summary>
internal static class ServerAccount
{
    public static bool IsRoot => !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;

    /// <summary>Null when the server runs as this user.</summary>
    /// <exception cref="ClusterException">KB1028: this is root and there is no other account.</exception>
    public static string? Name() => IsRoot ? ForRoot(File.ReadLines("/etc/passwd")) : null;

    /// <param name="accounts">The lines of /etc/passwd.</param>
    /// <exception cref="ClusterException">KB1028: there is none to choose.</exception>
    internal static string ForRoot(IEnumerable<string> accounts)
    {
        var names = accounts.Select(line => line.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
        return names.Contains("postgres") ? "postgres" : names.Contains("nobody") ? "nobody" : throw ClusterErrors.NoAccount();
    }
}
