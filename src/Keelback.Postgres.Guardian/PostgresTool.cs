using System.ComponentModel;
using System.Diagnostics;

namespace Keelback.Postgres.Guardian;

/// <summary>Runs one of PostgreSQL's programs to its end, as the server's account.</summary>
internal static class PostgresTool
{
    // What a server that was started leaves in the pipes is of no interest; on Windows it keeps them open.
    private static readonly TimeSpan s_afterExit = TimeSpan.FromSeconds(1);

    /// <returns>Exit code and what the program wrote, both streams.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, string? input, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
            WorkingDirectory = OperatingSystem.IsWindows() ? Path.GetTempPath() : "/",
        };

        // The caller's PGDATA, PGPORT or language must not reach the server.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";
        if (ServerAccount.Name() is { } account) start.UserName = account;

        using var process = Start(start);
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(ct);

        try
        {
            var texts = await output.WaitAsync(s_afterExit, TimeProvider.System, ct);
            return (process.ExitCode, string.Join('\n', texts).Trim());
        }
        catch (TimeoutException)
        {
            return (process.ExitCode, "");
        }
    }

    /// <exception cref="ClusterException">KB1023: it failed.</exception>
    public static async Task RunOrThrowAsync(string program, IEnumerable<string> arguments, string? input, CancellationToken ct)
    {
        var (exitCode, output) = await RunAsync(program, arguments, input, ct);
        if (exitCode != 0) throw ClusterErrors.ToolFailed(Path.GetFileNameWithoutExtension(program), exitCode, output);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw ClusterErrors.ToolFailed(Path.GetFileNameWithoutExtension(start.FileName), e.NativeErrorCode, e.Message);
        }
    }
}
