using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Keelback.Postgres.Guardian;

/// <summary>What <c>postmaster.pid</c> says, checked against the process it names: after a crash, the id may be another program's.</summary>
internal sealed record Postmaster(int ProcessId, int Port, bool IsReady)
{
    // The file gives whole seconds, and a clock that was set meanwhile moves what the system reports.
    private static readonly TimeSpan s_startSlack = TimeSpan.FromMinutes(1);

    /// <summary>Null when no server runs on this data folder.</summary>
    public static Postmaster? Read(string data)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(PidFile(data));
        }
        catch (IOException)
        {
            return null;
        }

        // Lines: process id, data folder, start (Unix seconds), port, socket folder, address, shared memory, status.
        if (lines.Length < 4
            || !int.TryParse(lines[0], CultureInfo.InvariantCulture, out var id)
            || !long.TryParse(lines[2], CultureInfo.InvariantCulture, out var started)
            || !int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port)) return null;

        return IsServer(id, data, DateTimeOffset.FromUnixTimeSeconds(started))
            ? new(id, port, lines.Length >= 8 && lines[7].Trim() == "ready")
            : null;
    }

    /// <summary>PostgreSQL does not start beside a file whose process id is in use, whoever uses it.</summary>
    public static void RemoveStaleFile(string data) => File.Delete(PidFile(data));

    private static string PidFile(string data) => Path.Combine(data, "postmaster.pid");

    private static bool IsServer(int id, string data, DateTimeOffset started)
    {
        if (OperatingSystem.IsLinux())
        {
            // A server's working folder is its data folder. The link of a process of another user cannot be read.
            try
            {
                return new DirectoryInfo($"/proc/{id}/cwd").LinkTarget is { } folder && folder == RealPath(data);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        try
        {
            using var process = Process.GetProcessById(id);
            return process.ProcessName.StartsWith("postgres", StringComparison.OrdinalIgnoreCase)
                && (process.StartTime.ToUniversalTime() - started.UtcDateTime).Duration() < s_startSlack;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return false;
        }
    }

    private static string RealPath(string folder)
    {
        // Any part of the path may be a link, such as a home that is one.
        var real = "/";
        foreach (var part in Path.GetFullPath(folder).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            real = Directory.ResolveLinkTarget(real, returnFinalTarget: true)?.FullName ?? real;
        }

        return real;
    }
}
