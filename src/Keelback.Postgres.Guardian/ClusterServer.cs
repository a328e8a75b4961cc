using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Keelback.Postgres.Guardian;

/// <summary>Starts and stops the server of one cluster. The caller holds the lock that makes it the only one to do so.</summary>
internal sealed class ClusterServer(ClusterFolder folder, Binaries binaries)
{
    // Below 32768, where Linux takes the ports of outgoing connections from; above what is commonly served.
    private const int FirstPort = 20_000;
    private const int Ports = 12_000;
    private const int StartTries = 5;
    private const long LogLimit = 5_000_000;

    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private string _lastOutput = "";

    /// <returns>The port of a server that takes connections.</returns>
    /// <exception cref="ClusterException">KB1024: it does not start.</exception>
    public async Task<int> EnsureRunningAsync(CancellationToken ct)
    {
        var begun = Stopwatch.GetTimestamp();
        for (var tries = 0; ;)
        {
            if (Postmaster.Read(folder.Data) is { } server)
            {
                if (server.IsReady) return server.Port;

                // It starts, recovers or stops.
                if (Stopwatch.GetElapsedTime(begun) > s_patience) throw ClusterErrors.WouldNotStart(folder.Path, LogTail());
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
                continue;
            }

            // Backends of a server that was killed need a moment to notice; a port may be lost to another program.
            if (tries++ == StartTries) throw ClusterErrors.WouldNotStart(folder.Path, LogTail());
            if (tries > 1) await Task.Delay(s_between, TimeProvider.System, ct);
            await StartAsync(ct);
        }
    }

    public async Task StopAsync(CancellationToken ct)
    {
        if (Postmaster.Read(folder.Data) is null) return;

        var (exitCode, _) = await ControlAsync("stop", ["--mode", "fast", "--timeout", "30"], ct);
        if (exitCode != 0) await ControlAsync("stop", ["--mode", "immediate"], ct);
    }

    private async Task StartAsync(CancellationToken ct)
    {
        Postmaster.RemoveStaleFile(folder.Data);
        if (File.Exists(folder.Log) && new FileInfo(folder.Log).Length > LogLimit) File.Delete(folder.Log);

        var port = FreePort();
        await File.WriteAllTextAsync(folder.Port, port.ToString(CultureInfo.InvariantCulture), ct);
        (_, _lastOutput) = await ControlAsync("start", ["--wait", "--timeout", "60", "--log", folder.Log, "--options", $"-p {port}"], ct);
    }

    private Task<(int ExitCode, string Output)> ControlAsync(string verb, IEnumerable<string> options, CancellationToken ct) =>
        PostgresTool.RunAsync(binaries["pg_ctl"], [verb, "--silent", "--pgdata", folder.Data, .. options], null, ct);

    private int FreePort()
    {
        int[] last = File.Exists(folder.Port) && int.TryParse(File.ReadAllText(folder.Port), out var port) ? [port] : [];
        var first = (int)(BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(folder.Path))) % Ports);

        return last.Concat(Enumerable.Range(0, Ports).Select(i => FirstPort + ((first + i) % Ports))).First(IsFree);
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private string LogTail() =>
        File.Exists(folder.Log) ? string.Join(" | ", File.ReadLines(folder.Log).TakeLast(8).Select(line => line.Trim())) : _lastOutput;
}
