using System.Security.Cryptography;
using System.Text;

namespace Keelback.Postgres.Guardian;

/// <summary>Where one project's cluster lies, and what the files in it are called.</summary>
internal sealed record ClusterFolder(string Path)
{
    /// <summary>Every process that uses the cluster holds it shared; who stops the cluster holds it alone.</summary>
    public string Users => In("users.lock");

    /// <summary>Held alone by who makes or starts the cluster.</summary>
    public string Starting => In("starting.lock");

    /// <summary>Held alone by the one guardian, for as long as it lives.</summary>
    public string Guardian => In("guardian.lock");

    /// <summary>Readable by this user alone.</summary>
    public string Password => In("password");

    /// <summary>The port of the last start, taken again where it is free.</summary>
    public string Port => In("port");

    /// <summary>Belongs to the account that the server runs as.</summary>
    public string Server => In("server");

    public string Data => System.IO.Path.Combine(Server, "data");

    public string Log => System.IO.Path.Combine(Server, "server.log");

    /// <summary>Root's clusters lie where the server's account can reach them; a user's in the user's own state folder.</summary>
    public static ClusterFolder For(string projectFolder, string? stateRoot = null)
    {
        var identity = OperatingSystem.IsWindows() ? projectFolder.ToUpperInvariant() : projectFolder;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)).AsSpan(0, 6));
        var name = new string([.. System.IO.Path.GetFileName(projectFolder).Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.').Take(40)]);

        return new(System.IO.Path.Combine(stateRoot ?? StateRoot(), $"{name}-{hash}"));
    }

    private static string StateRoot()
    {
        if (ServerAccount.IsRoot) return "/var/lib/keelback";
        if (Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } xdg) return System.IO.Path.Combine(xdg, "keelback");

        return OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
            ? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "keelback")
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "keelback");
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
