using System.Diagnostics;
using Keelback.Postgres.Guardian;

namespace Keelback.Chaos;

/// <summary>PgBouncer in transaction mode, where it is installed.</summary>
internal sealed class Pooler : IDisposable
{
    private static readonly string[] s_places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];

    private Process? _process;

    private Pooler(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <summary>Null: it is not installed.</summary>
    public static Pooler? Start(Server server, string runFolder)
    {
        if (s_places.FirstOrDefault(File.Exists) is not { } program) return null;

        var port = Server.FreePort();
        var file = Path.Combine(runFolder, "pgbouncer.ini");
        File.WriteAllText(file,
            $"""
            [databases]
            app = host=127.0.0.1 port={server.Port} dbname=app user={Server.User} password={server.Password}

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 30
            max_client_conn = 500
            ignore_startup_parameters = extra_float_digits,options,search_path
            log_connections = 0
            log_disconnections = 0
            """);
        var start = new ProcessStartInfo(program, ["-q", file])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        if (ServerAccount.Name() is { } account) start.UserName = account;

        var process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return new(process, port);
    }

    /// <summary>Ends it, once: a run that is broken off ends it from its signal, and then again as it unwinds.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _process, null) is not { } process) return;

        using (process)
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit();
        }
    }
}
