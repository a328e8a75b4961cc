namespace Keelback.Bench;

/// <summary>One side's round: how many things in how long, and the CPU time that the measured process used.</summary>
internal readonly record struct Round(int Count, TimeSpan Elapsed, TimeSpan Cpu, string Note = "")
{
    public double PerSecond => Count / Elapsed.TotalSeconds;

    public double CpuMicroseconds => Cpu.TotalMicroseconds / Count;
}

/// <summary>Keelback beside its floor: rounds of both by turns, so that what else the machine does hits both alike.</summary>
internal sealed record Comparison(string Name, string What, Bar Bar, IReadOnlyList<(Round Keelback, Round Floor)> Rounds)
{
    /// <summary>Of each pair of neighbouring rounds.</summary>
    public double Ratio => Median(Rounds.Select(r => r.Keelback.PerSecond / r.Floor.PerSecond));

    public (double Low, double High) Spread =>
        (Rounds.Min(r => r.Keelback.PerSecond / r.Floor.PerSecond), Rounds.Max(r => r.Keelback.PerSecond / r.Floor.PerSecond));

    public double CpuRatio => Median(Rounds.Select(r => r.Floor.CpuMicroseconds / r.Keelback.CpuMicroseconds));

    public bool Passes => Bar.IsMetBy(Ratio);

    public double MedianOf(Func<(Round Keelback, Round Floor), double> value) => Median(Rounds.Select(value));

    public static async Task<Comparison> RunAsync(
        string name, string what, Bar bar, BenchOptions options, Func<Task<Round>> keelback, Func<Task<Round>> floor)
    {
        for (var i = 0; i < options.WarmUps; i++)
        {
            await keelback();
            await floor();
        }

        var pairs = new List<(Round, Round)>();
        for (var i = 0; i < options.Rounds; i++)
        {
            // Who goes first changes, so that neither always follows the other's vacuum.
            var first = i % 2 == 0 ? await keelback() : default;
            var theirs = await floor();
            var pair = (i % 2 == 0 ? first : await keelback(), theirs);
            pairs.Add(pair);
            Console.Error.WriteLine($"{name} {i + 1}/{options.Rounds}: {pair.Item1.PerSecond:N0} and {theirs.PerSecond:N0} a second {pair.Item1.Note}");
        }

        return new(name, what, bar, pairs);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
