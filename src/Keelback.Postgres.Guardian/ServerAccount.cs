namespace Keelback.Postgres.Guardian;

/// <summary>The user that PostgreSQL runs as: this one, or another where this one is root, as whom it refuses to run.</summary>
internal static class ServerAccount
{
    public static bool IsRoot => !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;

    /// <summary>Null when the server runs as this user.</summary>
    /// <exception cref="ClusterException">KB1028: this is root and there is no other account.</exception>
    public static string? Name() => IsRoot ? Existing("postgres") ?? Existing("nobody") ?? throw ClusterErrors.NoAccount() : null;

    private static string? Existing(string name) =>
        File.ReadLines("/etc/passwd").Any(line => line.StartsWith(name + ":", StringComparison.Ordinal)) ? name : null;
}
