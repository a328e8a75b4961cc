using System.Diagnostics;

namespace Keelback.Bench;

/// <summary>Two processes that drain one queue, on both sides.</summary>
internal static class TwoWorkersBench
{
    private const int Slots = 50;

    public static async Task<IReadOnlyList<Comparison>> RunAsync(BenchDatabase database, BenchOptions options)
    {
        await using var first = new JobPair(database, Slots);
        await using var second = new JobPair(database, Slots);

        return
        [
            await Comparison.RunAsync("drain-two", $"drain of jobs that do nothing by two processes of {Slots} slots", Bar.AtLeast(0.6), options,
                () => RoundAsync(first.Keelback, second.Keelback), () => RoundAsync(first.Floor, second.Floor)),
        ];

        async Task<Round> RoundAsync(Child one, Child other)
        {
            await first.Keelback.AskAsync($"enqueue {options.Jobs}");
            var before = one.Cpu + other.Cpu;

            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(one.AskAsync("share 0"), other.AskAsync("share 0"));
            var took = Stopwatch.GetElapsedTime(started);

            var round = new Round(options.Jobs, took, one.Cpu + other.Cpu - before);
            await first.ClearAsync();
            return round;
        }
    }
}
