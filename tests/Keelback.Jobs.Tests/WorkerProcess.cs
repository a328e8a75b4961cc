using System.Diagnostics;
using System.Threading.Channels;

namespace Keelback.Jobs.Tests;

/// <summary>A worker in a process of its own, which signals stop, continue and end.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Channel<string> _said = Channel.CreateUnbounded<string>();
    private readonly List<string> _heard = [];

    /// <param name="arguments">As <see cref="Program"/> reads them.</param>
    public WorkerProcess(params string[] arguments)
    {
        _process = new() { StartInfo = new("dotnet", [typeof(WorkerProcess).Assembly.Location, .. arguments]) };
        _process.StartInfo.RedirectStandardInput = _process.StartInfo.RedirectStandardOutput = _process.StartInfo.RedirectStandardError = true;
        _process.OutputDataReceived += (_, e) => Hear(e.Data);
        _process.ErrorDataReceived += (_, e) => Hear(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Waits until it has said all of these, in any order.</summary>
    public async Task SaysAsync(params string[] lines)
    {
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            while (lines.Except(_heard).Any()) _heard.Add(await _said.Reader.ReadAsync(patience.Token));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It never said '{string.Join("', '", lines.Except(_heard))}', but:\n{string.Join('\n', _heard)}");
        }
    }

    /// <summary>SIGSTOP: no thread of it moves, and its connections stay open.</summary>
    public Task StopAsync() => SignalAsync("-STOP");

    /// <summary>SIGCONT</summary>
    public Task ContinueAsync() => SignalAsync("-CONT");

    /// <summary>SIGTERM</summary>
    public Task TerminateAsync() => SignalAsync("-TERM");

    /// <summary>Its exit code, when it has ended by itself.</summary>
    public async Task<int> EndAsync(TimeSpan within)
    {
        using var patience = new CancellationTokenSource(within);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>Lets its jobs go on.</summary>
    public Task GoOnAsync() => _process.StandardInput.WriteLineAsync();

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    private void Hear(string? line)
    {
        if (line is not null) _said.Writer.TryWrite(line);
    }
}
