using System.Diagnostics;
using Xunit.Abstractions;

namespace Keelback.Chaos.Tests;

/// <summary>The short version of <c>./dev chaos</c>: a minute of every fault, on a PostgreSQL of its own.</summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task A_minute_of_every_fault_breaks_no_invariant()
    {
        var root = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "chaos-runs")).FullName;
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Keelback.Chaos.dll"), "--seed", "7", "--minutes", "0.8", "--rate", "15", "--root", root])
        {
            RedirectStandardOutput = true,
        };

        using var chaos = Process.Start(start)!;
        using var patience = new CancellationTokenSource(s_patience);
        var report = await chaos.StandardOutput.ReadToEndAsync(patience.Token);
        await chaos.WaitForExitAsync(patience.Token);

        output.WriteLine(report);
        Assert.True(chaos.ExitCode == 0, report);
        Assert.DoesNotContain("| kill | F1 | 0 |", report);
        Assert.DoesNotContain("| crash | F4 | 0 |", report);
    }
}
