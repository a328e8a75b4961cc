using System.Diagnostics;

namespace Keelback.Bench;

/// <summary>This program again, in another role and on one core; it answers a line for each line that it is told.</summary>
internal sealed class Child : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    private readonly Process _process;

    private Child(Process process) => _process = process;

    /// <summary>What the process has used of its core so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static Child Start(int core, params string[] args)
    {
        string[] self = [Environment.ProcessPath!, typeof(Child).Assembly.Location, .. args];
        if (!Path.GetFileNameWithoutExtension(Environment.ProcessPath!).Equals("dotnet", StringComparison.Ordinal))
            self = [Environment.ProcessPath!, .. args];

        var command = Cores.CanPin ? ["taskset", "-c", $"{core}", .. self] : self;
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        return new(Process.Start(start)!);
    }

    public async Task<string> AskAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        return await ReadAsync();
    }

    /// <summary>The next line that begins with <c>=</c>; others are the program's own log.</summary>
    public async Task<string> ReadAsync()
    {
        using var timeout = new CancellationTokenSource(s_patience);
        while (await _process.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
        {
            if (line.StartsWith('=')) return line[1..];
            await Console.Error.WriteLineAsync(line);
        }

        throw new InvalidOperationException("A child ended without an answer; it says why above.");
    }

    public static void Answer(string text) => Console.WriteLine("=" + text);

    /// <summary>Ends at the end of its input.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(timeout.Token);
        _process.Dispose();
    }
}
