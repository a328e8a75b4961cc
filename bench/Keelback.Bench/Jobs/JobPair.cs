using System.Globalization;

namespace Keelback.Bench;

/// <summary>Keelback and the floor, each in processes of its own, asked by turns.</summary>
internal sealed class JobPair(BenchDatabase database, int slots) : IAsyncDisposable
{
    public Child Keelback { get; } = Start("keelback", database, slots);

    public Child Floor { get; } = Start("floor", database, slots);

    /// <summary>One side's answer to a verb: how long it took for so many.</summary>
    public async Task<Round> RoundAsync(Child side, string verb, int count)
    {
        var before = side.Cpu;
        var took = Seconds(await side.AskAsync($"{verb} {count}"));
        var round = new Round(count, took, side.Cpu - before);

        await ClearAsync();
        return round;
    }

    /// <summary>The same for what is told as the time of one, a median: its round counts one.</summary>
    public async Task<Round> MedianAsync(Child side, string verb, int count)
    {
        var round = await RoundAsync(side, verb, count);
        return round with { Count = 1, Cpu = round.Cpu / count };
    }

    public async Task<Round> DrainAsync(Child side, int jobs)
    {
        // The same side fills for both: only the drain is measured here.
        await Keelback.AskAsync($"enqueue {jobs}");
        return await RoundAsync(side, "drain", jobs);
    }

    public Task ClearAsync() => Keelback.AskAsync("clear 0");

    public async ValueTask DisposeAsync()
    {
        await Keelback.DisposeAsync();
        await Floor.DisposeAsync();
    }

    public static TimeSpan Seconds(string answer) => TimeSpan.FromSeconds(double.Parse(answer, CultureInfo.InvariantCulture));

    /// <summary>One after the other: the first Keelback makes the schema that the others read.</summary>
    public static Child Start(string side, BenchDatabase database, int slots)
    {
        var child = Child.Start(Cores.Measured, "jobs", side, database.ConnectionString, $"{slots}");
        child.ReadAsync().GetAwaiter().GetResult();
        return child;
    }
}
