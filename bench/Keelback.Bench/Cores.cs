using System.Diagnostics;

namespace Keelback.Bench;

/// <summary>Which core runs what: the measured process has the first to itself; load generator and PostgreSQL share the second.</summary>
/// <remarks>By <c>taskset</c>, so that the runtime sees one core when it starts. Elsewhere than on Linux nothing is pinned, and the report says so.</remarks>
internal static class Cores
{
    public const int Measured = 0;
    public const int Others = 1;

    public static bool CanPin { get; } = OperatingSystem.IsLinux() && File.Exists("/usr/bin/taskset") && Environment.ProcessorCount > 1;

    /// <summary>Pins the backends that a local PostgreSQL starts from here on; returns what undoes it, null where it cannot be done.</summary>
    public static Action? PinServer(int? postmaster)
    {
        if (!CanPin || postmaster is null) return null;

        Run("taskset", "-pc", $"{Others}", $"{postmaster}");
        return () => Run("taskset", "-pc", $"0-{Environment.ProcessorCount - 1}", $"{postmaster}");
    }

    /// <summary>The process that started a backend; null when the server runs elsewhere.</summary>
    public static int? ParentOfBackend(int pid)
    {
        var file = $"/proc/{pid}/stat";
        if (!File.Exists(file)) return null;

        // pid (command, which may hold spaces) state ppid …
        var stat = File.ReadAllText(file);
        return stat.Contains("(postgres)", StringComparison.Ordinal) ? int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], null) : null;
    }

    private static void Run(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true })!;
        process.WaitForExit();
    }
}
