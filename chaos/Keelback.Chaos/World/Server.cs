using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Keelback.Postgres.Guardian;
using Npgsql;

namespace Keelback.Chaos;

/// <summary>The run's own PostgreSQL: as durable as any, so that a crash takes back what was promised to be kept.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly ClusterFolder _folder;
    private readonly Binaries _binaries;
    private readonly string _password;

    private Server(ClusterFolder folder, Binaries binaries, int port)
    {
        (_folder, _binaries, Port) = (folder, binaries, port);
        _password = File.ReadAllText(folder.Password).Trim();
        Db = NpgsqlDataSource.Create(ConnectionString(port) + ";Maximum Pool Size=20;Timeout=5;Command Timeout=120");
    }

    public int Port { get; }

    public string Password => _password;

    public static string User => ClusterMaker.User;

    /// <summary>Straight to the server, past every wire.</summary>
    public NpgsqlDataSource Db { get; }

    /// <summary>Makes the cluster in the run's folder, or starts the one that is there.</summary>
    public static async Task<Server> StartAsync(string runFolder)
    {
        var place = Path.Combine(runFolder, "cluster");
        var folder = IsReachable(runFolder) ? new ClusterFolder(place) : ClusterFolder.For(Path.GetFullPath(place));
        Directory.CreateDirectory(folder.Path);

        var binaries = await Binaries.FindAsync(null, null, folder.Path, default);
        if (!Directory.Exists(folder.Data))
        {
            await ClusterMaker.MakeAsync(folder, binaries, default);
            await File.AppendAllTextAsync(Path.Combine(folder.Data, "postgresql.conf"), "max_connections = 400\nrestart_after_crash = on\n");
        }

        var port = File.Exists(folder.Port) ? int.Parse(await File.ReadAllTextAsync(folder.Port), CultureInfo.InvariantCulture) : FreePort();
        await File.WriteAllTextAsync(folder.Port, port.ToString(CultureInfo.InvariantCulture));
        var server = new Server(folder, binaries, port);
        if (Postmaster.Read(folder.Data) is null) await server.StartAgainAsync();
        return server;
    }

    public string ConnectionString(int port) =>
        $"Host=127.0.0.1;Port={port};Database={ClusterMaker.Database};Username={ClusterMaker.User};Password={_password};SSL Mode=Disable";

    /// <param name="how">immediate: as a crash; fast: as a restart.</param>
    public Task StopAsync(string how) => ControlAsync("stop", "--mode", how, "--timeout", "60");

    public async Task StartAgainAsync()
    {
        Postmaster.RemoveStaleFile(_folder.Data);
        for (var tries = 0; ; tries++)
        {
            try
            {
                await ControlAsync("start", "--wait", "--timeout", "120", "--log", _folder.Log, "--options", $"-p {Port}");
                return;
            }
            catch (InvalidOperationException) when (tries < 20)
            {
                await Task.Delay(500); // backends of a crashed server are still going
            }
        }
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Db.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Again after a deadlock with the workers, of which it may be the victim as well as they.</summary>
    public async Task ExecuteAsync(string sql)
    {
        while (true)
        {
            try
            {
                await using var command = Db.CreateCommand(sql);
                await command.ExecuteNonQueryAsync();
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
            }
        }
    }

    /// <summary>Stops the server; its data stay until <see cref="Remove"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await Db.DisposeAsync();
        if (Postmaster.Read(_folder.Data) is not null) await StopAsync("fast");
    }

    public void Remove() => Directory.Delete(_folder.Path, recursive: true);

    /// <summary>Below 32768, where the system hands out ports of its own accord.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "A port is no secret.")]
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 32_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken; another one.
            }
        }
    }

    private async Task ControlAsync(string verb, params string[] options)
    {
        var (exitCode, output) = await PostgresTool.RunAsync(_binaries["pg_ctl"], [verb, "--silent", "--pgdata", _folder.Data, .. options], null, default);
        if (exitCode != 0) throw new InvalidOperationException($"pg_ctl {verb}: {exitCode} {output}");
    }

    // Root's server runs as another user, who must be able to walk down to it.
    private static bool IsReachable(string folder)
    {
        if (!ServerAccount.IsRoot) return true;
        for (var at = new DirectoryInfo(Path.GetFullPath(folder)); at is not null; at = at.Parent)
            if (at.Exists && !OperatingSystem.IsWindows() && !at.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                return false;
        return true;
    }
}
