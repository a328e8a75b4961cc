using System.Diagnostics;

namespace Keelback.Bench.Tests;

/// <summary>The floors run the engine's own statements: one that has changed must not first be missed when somebody measures.</summary>
public sealed class SmokeTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("jobs", 14)]
    [InlineData("list create", 2)]
    public async Task Every_benchmark_and_its_floor_run(string names, int figures)
    {
        string[] arguments = [Path.Combine(AppContext.BaseDirectory, "Keelback.Bench.dll"), .. names.Split(' '), "--smoke"];
        using var bench = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (bench.StandardOutput.ReadToEndAsync(), bench.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            await bench.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!bench.HasExited) bench.Kill(entireProcessTree: true);
        }

        Assert.True(bench.ExitCode == 0, await error);
        Assert.Equal(figures, (await output).Split('\n').Count(line => line.StartsWith("| ", StringComparison.Ordinal) && line.Contains("**", StringComparison.Ordinal)));
    }
}
