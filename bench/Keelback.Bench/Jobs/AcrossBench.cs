namespace Keelback.Bench;

/// <summary>From the enqueueing process's call to the start of the job in another process, beside one commit.</summary>
internal static class AcrossBench
{
    public static async Task<IReadOnlyList<Comparison>> RunAsync(BenchDatabase database, BenchOptions options)
    {
        await using var pair = new JobPair(database, slots: 10);
        await using var worker = JobPair.Start("keelback", database, slots: 10);
        await worker.AskAsync("serve 0");

        return
        [
            await Comparison.RunAsync("latency-across", "enqueue to start when idle, across processes; floor: one commit", Bar.AtMost(6), options,
                KeelbackAsync, () => pair.MedianAsync(pair.Floor, "latency", options.Samples)),
        ];

        async Task<Round> KeelbackAsync()
        {
            var before = worker.Cpu;
            await pair.Keelback.AskAsync($"send {options.Samples}");
            return new(1, JobPair.Seconds(await worker.AskAsync($"received {options.Samples}")), (worker.Cpu - before) / options.Samples);
        }
    }
}
