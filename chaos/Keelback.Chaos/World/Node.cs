using System.Diagnostics;
using System.Globalization;

namespace Keelback.Chaos;

/// <summary>One process of a run: a worker or a producer.</summary>
internal sealed class Node : IDisposable
{
    private readonly Process _process;

    private Node(Process process, RoleOptions role, int slot) => (_process, Role, Slot) = (process, role, slot);

    public RoleOptions Role { get; }

    public string Name => Role.Name;

    /// <summary>Its place in the fleet; the one after it has the same.</summary>
    public int Slot { get; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>We have killed it, or told it to stop.</summary>
    public bool IsDoomed { get; set; }

    /// <summary>A fault has it now; another must not take it as well.</summary>
    public bool IsTaken { get; set; }

    public long StartedAt { get; } = Ledger.Now;

    public static Node Start(string role, RoleOptions options, int slot, string log, params IEnumerable<(string Name, string Value)> settings)
    {
        // The shell gives way to the program: the file gets what it says, its last words included.
        var start = new ProcessStartInfo("/bin/sh",
            ["-c", "exec \"$@\" >>\"$0\" 2>&1", log, "dotnet", typeof(Node).Assembly.Location, role, .. options.Args])
        {
            RedirectStandardInput = true,
        };
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        foreach (var (name, value) in settings) start.Environment[name] = value;
        return new(Process.Start(start)!, options, slot);
    }

    public void Kill()
    {
        if (!HasExited) _process.Kill();
    }

    public void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, Pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public void Tell(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It has just died.
        }
    }

    public async Task<bool> ExitsWithinAsync(TimeSpan time)
    {
        using var patience = new CancellationTokenSource(time);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Ends it. How it ended can be asked still, by a fault that had it in its hands.</summary>
    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It died with a line of ours unread.
        }
    }
}
