using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Keelback.Bench;

/// <summary>The Markdown that is committed: what was measured, on which machine, at which commit.</summary>
internal static class Report
{
    public static string Write(BenchOptions options, string server, bool isServerPinned, IReadOnlyList<Comparison> results)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {string.Join(", ", options.Names)}: Keelback beside its floor");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"- commit {Git("rev-parse", "--short", "HEAD")}{(Git("status", "--porcelain", "--", "src", "bench/Keelback.Bench").Length > 0 ? " with changes" : "")}, {Git("show", "-s", "--format=%cd", "--date=iso", "HEAD")}");
        text.AppendLine(CultureInfo.InvariantCulture, $"- {Processor()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
        text.AppendLine(CultureInfo.InvariantCulture, $"- {server}");
        text.AppendLine(Cores.CanPin
            ? $"- the measured process alone on core {Cores.Measured}; load generator{(isServerPinned ? " and PostgreSQL" : "")} on core {Cores.Others}"
            : "- nothing is pinned to a core: not on Linux, or taskset is missing");
        text.AppendLine(CultureInfo.InvariantCulture, $"- {options.Rounds} rounds of each side by turns, after some that are not counted; `./dev bench {string.Join(' ', options.Names)}`");
        text.AppendLine();
        text.AppendLine("| | Keelback /s | floor /s | ratio (median) | spread | bar | CPU of the process, µs each: Keelback, floor | by CPU |");
        text.AppendLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var r in results)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {r.What} | {r.MedianOf(p => p.Keelback.PerSecond):N0} | {r.MedianOf(p => p.Floor.PerSecond):N0} | **{r.Bar.Of(r.Ratio):F2}** | {Spread(r)} | {r.Bar}{(r.Bar == Bar.None ? "" : r.Passes ? " met" : " missed")} | {r.MedianOf(p => p.Keelback.CpuMicroseconds):F1}, {r.MedianOf(p => p.Floor.CpuMicroseconds):F1} | {r.CpuRatio:F2} |");
        }

        text.AppendLine();
        text.AppendLine("A bar with ≥ is a ratio of speed, one with ≤ of time, pair by pair. \"By CPU\" is the floor's CPU time over Keelback's, for the same work in the measured");
        text.AppendLine("process: it shows the difference where the other core was the limit. The floors are in `bench/Keelback.Bench/Floors`.");
        return text.ToString();
    }

    private static string Spread(Comparison r)
    {
        var (one, other) = (r.Bar.Of(r.Spread.Low), r.Bar.Of(r.Spread.High));
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Min(one, other):F2}–{Math.Max(one, other):F2}");
    }

    private static string Processor()
    {
        const string Info = "/proc/cpuinfo";
        var line = File.Exists(Info) ? File.ReadLines(Info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':')[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string Git(params string[] args)
    {
        using var git = Process.Start(new ProcessStartInfo("git", args) { RedirectStandardOutput = true })!;
        var answer = git.StandardOutput.ReadToEnd().Trim();
        git.WaitForExit();
        return answer;
    }
}
