using System.Globalization;

namespace Keelback.Jobs.Tests.Simulation;

/// <summary>The worker's decisions under everything that can happen to them, one thread, one number a story.</summary>
public sealed class SimulationTests
{
    private const int Seeds = 20_000;

    // KEELBACK_SEED=17 runs that one alone, KEELBACK_SEED=20000-90000 those.
    private static readonly (int First, int Count) s_range = Range(Environment.GetEnvironmentVariable("KEELBACK_SEED"));

    [Fact]
    public void Whatever_happens_nothing_is_lost_or_done_twice_and_every_transition_is_met()
    {
        var hits = new bool[Enum.GetValues<Transition>().Length];
        string? failure = null;

        Parallel.For(s_range.First, s_range.First + s_range.Count, () => new bool[hits.Length],
            (seed, state, own) =>
            {
                if (Simulation.Run(seed, own) is { } broken && Interlocked.CompareExchange(ref failure, broken, null) is null) state.Stop();
                return own;
            },
            own =>
            {
                lock (hits)
                    for (var i = 0; i < own.Length; i++) hits[i] |= own[i];
            });

        Assert.True(failure is null, failure);
        var missing = Enum.GetValues<Transition>().Where(t => !hits[(int)t]);
        if (s_range.Count >= Seeds) Assert.Empty(missing);
    }

    [Fact]
    public void A_seed_is_the_same_story_each_time()
    {
        bool[] first = new bool[Enum.GetValues<Transition>().Length], second = new bool[first.Length];

        for (var seed = 0; seed < 20; seed++)
        {
            Assert.Equal(Simulation.Run(seed, first, Bugs.NoToken | Bugs.StrangersKept), Simulation.Run(seed, second, Bugs.NoToken | Bugs.StrangersKept));
            Assert.Equal(first, second);
        }
    }

    [Theory]
    [MemberData(nameof(EveryBug))]
    public void A_planted_bug_is_found(string name)
    {
        var bug = Enum.Parse<Bugs>(name);
        var hits = new bool[Enum.GetValues<Transition>().Length];

        var found = Enumerable.Range(0, 2000).Select(seed => Simulation.Run(seed, hits, bug)).FirstOrDefault(broken => broken is not null);

        Assert.NotNull(found);
    }

    public static TheoryData<string> EveryBug => [.. Enum.GetNames<Bugs>().Where(name => name != nameof(Bugs.None))];

    private static (int First, int Count) Range(string? seeds)
    {
        if (seeds is null) return (0, Seeds);
        var ends = seeds.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToList();
        return (ends[0], ends[^1] - ends[0] + 1);
    }
}
