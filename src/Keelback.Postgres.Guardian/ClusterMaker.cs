using System.Security.Cryptography;

namespace Keelback.Postgres.Guardian;

/// <summary>Makes a cluster beside its place and moves it there when it is whole, so that a broken-off attempt leaves none.</summary>
internal static class ClusterMaker
{
    public const string User = "keelback";
    public const string Database = "app";

    private const string Settings =
        """

        # Keelback's private cluster: this machine only, and as durable as any.
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        max_connections = 200
        password_encryption = 'scram-sha-256'
        timezone = 'UTC'
        log_timezone = 'UTC'

        """;

    private const string Access =
        """
        host all all 127.0.0.1/32 scram-sha-256
        host replication all 127.0.0.1/32 scram-sha-256

        """;

    public static async Task MakeAsync(ClusterFolder folder, Binaries binaries, CancellationToken ct)
    {
        await MakeServerFolderAsync(folder, ct);
        foreach (var broken in Directory.EnumerateDirectories(folder.Server, "new-*")) Directory.Delete(broken, recursive: true);

        var made = Path.Combine(folder.Server, $"new-{Guid.CreateVersion7():N}");
        await PostgresTool.RunOrThrowAsync(binaries["initdb"],
            ["--pgdata", made, "--username", User, "--auth", "trust", "--encoding", "UTF8", "--locale", Locale, "--no-instructions"], null, ct);

        await File.AppendAllTextAsync(Path.Combine(made, "postgresql.conf"), Settings, ct);
        await File.WriteAllTextAsync(Path.Combine(made, "pg_hba.conf"), Access, ct);

        // The server has not run yet, and once it does it asks for the password: so it is set in single-user mode, a statement a line.
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        await PostgresTool.RunOrThrowAsync(binaries["postgres"], ["--single", "-j", "-D", made, "postgres"],
            $"alter role {User} password '{password}';\n\ncreate database {Database};\n\n", ct);

        WritePassword(folder, password);
        Directory.Move(made, folder.Data);
    }

    // C.UTF-8 is not on every Windows or macOS.
    private static string Locale => OperatingSystem.IsLinux() ? "C.UTF-8" : "C";

    private static async Task MakeServerFolderAsync(ClusterFolder folder, CancellationToken ct)
    {
        Directory.CreateDirectory(folder.Server);
        if (ServerAccount.Name() is not { } account) return;

        // Not by the account itself: it may not write in the folder above. The colon stands for the account's group.
        using var chown = System.Diagnostics.Process.Start("chown", ["-R", $"{account}:", folder.Server]);
        await chown.WaitForExitAsync(ct);
        if (chown.ExitCode != 0) throw ClusterErrors.ToolFailed("chown", chown.ExitCode, folder.Server);
    }

    private static void WritePassword(ClusterFolder folder, string password)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        File.Delete(folder.Password);
        using var file = new StreamWriter(folder.Password, options);
        file.Write(password);
    }
}
