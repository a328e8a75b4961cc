namespace Keelback.Bench;

/// <summary>What edges cost: a chord beside as many jobs without one, a chain beside as many commits.</summary>
internal static class GraphBench
{
    private const int Members = 1_000;
    private const int Links = 100;

    /// <summary>Both sides are Keelback, with the same worker.</summary>
    public static async Task<IReadOnlyList<Comparison>> ChordAsync(BenchDatabase database, BenchOptions options)
    {
        await using var pair = new JobPair(database, slots: 50);
        await pair.Keelback.AskAsync("serve 0");

        return
        [
            await Comparison.RunAsync("chord", $"a chord of {Members:N0}; floor: {Members:N0} jobs without one", Bar.AtMost(1.5), options,
                () => pair.RoundAsync(pair.Keelback, "chord", Members), () => pair.RoundAsync(pair.Keelback, "flat", Members)),
        ];
    }

    public static async Task<IReadOnlyList<Comparison>> ChainAsync(BenchDatabase database, BenchOptions options)
    {
        await using var pair = new JobPair(database, slots: 10);
        await pair.Keelback.AskAsync("serve 0");

        return
        [
            await Comparison.RunAsync("chain", $"a link of a chain of {Links}; floor: one commit of one row", Bar.AtMost(1.2), options,
                () => pair.RoundAsync(pair.Keelback, "chain", Links), () => pair.RoundAsync(pair.Floor, "commit", Links)),
            await Comparison.RunAsync("chain-raw", $"a link of a chain of {Links}; floor: the link's statements in one commit", Bar.AtMost(1.2), options,
                () => pair.RoundAsync(pair.Keelback, "chain", Links), () => LinksAsync()),
        ];

        async Task<Round> LinksAsync()
        {
            await pair.Keelback.AskAsync($"pause {Links}");
            var round = await pair.RoundAsync(pair.Floor, "links", Links);
            await pair.Keelback.AskAsync("serve 0");
            return round;
        }
    }
}
