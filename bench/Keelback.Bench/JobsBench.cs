using System.Globalization;

namespace Keelback.Bench;

/// <summary>Bulk enqueue, and draining what was enqueued, beside plain Npgsql that runs the engine's own statements.</summary>
internal static class JobsBench
{
    private const double DrainBar = 0.4;

    public static async Task<IReadOnlyList<Comparison>> RunAsync(BenchDatabase database, BenchOptions options)
    {
        var results = new List<Comparison>();
        if (options.Names.Contains("enqueue"))
        {
            await using var pair = new Pair(database, slots: 10);
            results.Add(await Comparison.RunAsync("enqueue", "bulk enqueue, 1,000 a call", 0, options.Rounds,
                () => pair.RoundAsync(pair.Keelback, "enqueue", options.Jobs, "clear"),
                () => pair.RoundAsync(pair.Floor, "enqueue", options.Jobs, "clear")));
        }

        if (!options.Names.Contains("drain")) return results;

        foreach (var slots in (int[])[10, 50])
        {
            await using var pair = new Pair(database, slots);
            results.Add(await Comparison.RunAsync($"drain {slots}", $"drain of jobs that do nothing, {slots} slots", DrainBar, options.Rounds,
                () => pair.DrainAsync(pair.Keelback, options.Jobs),
                () => pair.DrainAsync(pair.Floor, options.Jobs)));
        }

        return results;
    }

    private sealed class Pair(BenchDatabase database, int slots) : IAsyncDisposable
    {
        public Child Keelback { get; } = Start("keelback", database, slots);

        public Child Floor { get; } = Start("floor", database, slots);

        public async Task<Round> DrainAsync(Child side, int jobs)
        {
            // The same side fills for both: only the drain is measured here.
            await Keelback.AskAsync($"enqueue {jobs}");
            return await RoundAsync(side, "drain", jobs, "clear");
        }

        public async Task<Round> RoundAsync(Child side, string verb, int jobs, string afterwards)
        {
            var before = side.Cpu;
            var seconds = double.Parse(await side.AskAsync($"{verb} {jobs}"), CultureInfo.InvariantCulture);
            var round = new Round(jobs, TimeSpan.FromSeconds(seconds), side.Cpu - before);

            await Keelback.AskAsync(afterwards);
            return round;
        }

        public async ValueTask DisposeAsync()
        {
            await Keelback.DisposeAsync();
            await Floor.DisposeAsync();
        }

        private static Child Start(string side, BenchDatabase database, int slots)
        {
            var child = Child.Start(Cores.Measured, "jobs", side, database.ConnectionString, $"{slots}");
            child.ReadAsync().GetAwaiter().GetResult(); // one after the other: Keelback makes the schema that the floor reads
            return child;
        }
    }
}
