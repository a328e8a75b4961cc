using System.ComponentModel;

namespace Keelback.Postgres.Guardian;

/// <summary>A seat in a project's cluster: it runs at least until the last seat is given up, or its process ends, however.</summary>
internal sealed class PrivateCluster : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_guardianCheck = TimeSpan.FromSeconds(10);

    private readonly FileStream _seat;
    private readonly Timer _guardianCheck;

    private PrivateCluster(ClusterFolder folder, Binaries binaries, FileStream seat, int port)
    {
        _seat = seat;
        Folder = folder;
        Port = port;
        Password = File.ReadAllText(folder.Password).Trim();

        // A guardian that was killed is replaced while there is someone to miss it.
        _guardianCheck = new(_ => ReplaceGuardian(folder, binaries), null, s_guardianCheck, s_guardianCheck);
    }

    public ClusterFolder Folder { get; }

    public int Port { get; }

    public string Password { get; }

    /// <summary>As libpq and Npgsql read it; holds the password.</summary>
    public string Url => $"postgres://{ClusterMaker.User}:{Password}@127.0.0.1:{Port}/{ClusterMaker.Database}?sslmode=disable";

    /// <summary>Makes the cluster if there is none, starts it if it does not run, and takes a seat.</summary>
    /// <param name="folder">Where it lies.</param>
    /// <param name="binaries">The folder of PostgreSQL's programs; null to look for them.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="ClusterException">KB1020-KB1028.</exception>
    public static async Task<PrivateCluster> JoinAsync(ClusterFolder folder, string? binaries, CancellationToken ct)
    {
        Create(folder);

        // The seat first: from here on nobody stops what we are about to use.
        var seat = await FileLock.SharedAsync(folder.Users, s_patience, ct);
        try
        {
            await using var starting = await FileLock.AloneAsync(folder.Starting, s_patience, ct);

            var found = await Binaries.FindAsync(binaries, Major(folder), folder.Path, ct);
            if (!Directory.Exists(folder.Data)) await ClusterMaker.MakeAsync(folder, found, ct);
            var port = await new ClusterServer(folder, found).EnsureRunningAsync(ct);
            GuardianProcess.Ensure(folder, found);

            return new(folder, found, seat, port);
        }
        catch (Exception e)
        {
            await seat.DisposeAsync();
            if (e is IOException or UnauthorizedAccessException) throw ClusterErrors.NoFolder(folder.Path, e);
            throw;
        }
    }

    public void Dispose()
    {
        _guardianCheck.Dispose();
        _seat.Dispose();
    }

    private static void ReplaceGuardian(ClusterFolder folder, Binaries binaries)
    {
        try
        {
            GuardianProcess.Ensure(folder, binaries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception or ClusterException)
        {
            // The folder was deleted, or the machine is out of something: the cluster works without a guardian.
        }
    }

    private static int? Major(ClusterFolder folder) =>
        Path.Combine(folder.Data, "PG_VERSION") is var file && File.Exists(file) && int.TryParse(File.ReadAllText(file), out var major) ? major : null;

    private static void Create(ClusterFolder folder)
    {
        try
        {
            // Root's is passed through by the server's account; what must stay secret in it is a file of mode 0600.
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder.Path);
            else
                Directory.CreateDirectory(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                    | (ServerAccount.IsRoot ? UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute : 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ClusterErrors.NoFolder(folder.Path, e);
        }
    }
}
