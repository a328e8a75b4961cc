using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace RecordStore.Tests;

/// <summary>The store as a process of its own, so that it can be killed.</summary>
internal sealed class StoreProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180);

    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<string>> _awaited = new();

    private StoreProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything it wrote so far, both streams.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <param name="connection">Its database.</param>
    /// <param name="arguments">As on the command line.</param>
    /// <param name="settings">Environment variables, such as <c>Keelback__Jobs__Lease</c>.</param>
    public static StoreProcess Start(string connection, string[] arguments, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "RecordStore.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        start.Environment["ConnectionStrings__Keelback"] = connection;
        start.Environment["ASPNETCORE_ENVIRONMENT"] = start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        start.Environment["Keelback__MigrateAtStart"] = "true";
        foreach (var (name, value) in settings) start.Environment[name] = value;

        var process = new StoreProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        process._process.OutputDataReceived += process.Hear;
        process._process.ErrorDataReceived += process.Hear;
        process._process.Start();
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>The first line that holds <paramref name="words"/>; fails when the process ends, or a minute passes, before it.</summary>
    public async Task<string> SaysAsync(string words)
    {
        var line = _awaited.GetOrAdd(words, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (Said.Split('\n').FirstOrDefault(said => said.Contains(words, StringComparison.Ordinal)) is { } already) return already;

        var ended = _process.WaitForExitAsync();
        await Task.WhenAny(line.Task, ended, Task.Delay(s_patience));
        return line.Task.IsCompletedSuccessfully ? await line.Task : throw new InvalidOperationException($"It never said '{words}':\n{Said}");
    }

    /// <summary>Waits for its end and returns the exit code.</summary>
    public async Task<int> EndsAsync()
    {
        using var patience = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>kill -9</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }

    private void Hear(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is not { } line) return;

        lock (_said) _said.Append(line).Append('\n');
        foreach (var (words, heard) in _awaited)
            if (line.Contains(words, StringComparison.Ordinal)) heard.TrySetResult(line);
    }
}
