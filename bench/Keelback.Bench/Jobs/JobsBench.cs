namespace Keelback.Bench;

/// <summary>The engine beside plain Npgsql that runs its statements: what enqueueing, draining, latency and graphs cost.</summary>
internal static class JobsBench
{
    public static async Task<IReadOnlyList<Comparison>> RunAsync(BenchDatabase database, BenchOptions options)
    {
        var results = new List<Comparison>();
        foreach (var name in options.Names)
            if (All(options).TryGetValue(name, out var bench))
                results.AddRange(await bench(database));

        return results;
    }

    private static Dictionary<string, Func<BenchDatabase, Task<IReadOnlyList<Comparison>>>> All(BenchOptions options) => new()
    {
        ["enqueue"] = db => PairAsync(db, options, 10, "enqueue", "bulk enqueue, 1,000 a call", options.Durable ? Bar.AtLeast(0.7) : Bar.None,
            (pair, side) => pair.RoundAsync(side, "enqueue", options.Jobs)),
        ["enqueue-one"] = db => PairAsync(db, options, 10, "enqueue-one", "enqueue one by one", Bar.None,
            (pair, side) => pair.RoundAsync(side, "enqueue-one", options.Jobs / 10)),
        ["enqueue-ef"] = db => PairAsync(db, options, 10, "enqueue-ef", "a row and its job in one EF transaction", Bar.None,
            (pair, side) => pair.RoundAsync(side, "enqueue-ef", options.Jobs / 10)),
        ["drain"] = async db => [.. await DrainAsync(db, options, 10), .. await DrainAsync(db, options, 50)],
        ["drain-1"] = db => DrainAsync(db, options with { Jobs = options.Jobs / 4 }, 1),
        ["drain-10"] = db => DrainAsync(db, options, 10),
        ["drain-100"] = db => DrainAsync(db, options, 100),
        ["drain-two"] = db => TwoWorkersBench.RunAsync(db, options),
        ["latency"] = db => PairAsync(db, options, 10, "latency", "enqueue to start when idle, in process; floor: one commit", Bar.AtMost(3),
            (pair, side) => pair.MedianAsync(side, "latency", options.Samples)),
        ["latency-across"] = db => AcrossBench.RunAsync(db, options),
        ["chord"] = db => GraphBench.ChordAsync(db, options),
        ["chain"] = db => GraphBench.ChainAsync(db, options),
        ["snapshot"] = db => SnapshotBench.RunAsync(db, options),
        ["waiting"] = db => WaitingBench.RunAsync(db, options),
    };

    private static Task<IReadOnlyList<Comparison>> DrainAsync(BenchDatabase database, BenchOptions options, int slots) =>
        PairAsync(database, options, slots, $"drain {slots}", $"drain of jobs that do nothing, {slots} {(slots == 1 ? "slot" : "slots")}",
            options.Durable ? Bar.None : Bar.AtLeast(0.4), (pair, side) => pair.DrainAsync(side, options.Jobs));

    private static async Task<IReadOnlyList<Comparison>> PairAsync(
        BenchDatabase database, BenchOptions options, int slots, string name, string what, Bar bar, Func<JobPair, Child, Task<Round>> round)
    {
        await using var pair = new JobPair(database, slots);
        return [await Comparison.RunAsync(name, what, bar, options, () => round(pair, pair.Keelback), () => round(pair, pair.Floor))];
    }
}
