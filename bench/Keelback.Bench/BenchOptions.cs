namespace Keelback.Bench;

/// <summary>What the command line asks for.</summary>
/// <param name="Names">Which benchmarks, in order.</param>
/// <param name="Rounds">Of each side.</param>
/// <param name="IsSmoke">Only shows that everything still runs.</param>
/// <param name="Durable">Whether a commit waits for the disk.</param>
internal sealed record BenchOptions(IReadOnlyList<string> Names, int Rounds, bool IsSmoke, bool Durable)
{
    private static readonly string[] s_short = ["enqueue", "drain", "list", "create"];

    private static readonly string[] s_jobs =
    [
        "enqueue", "enqueue-one", "enqueue-ef", "drain-1", "drain-10", "drain-100", "drain-two",
        "latency", "latency-across", "chord", "chain", "snapshot", "waiting",
    ];

    /// <summary>Jobs a round.</summary>
    public int Jobs { get; init; } = IsSmoke ? 2_000 : 20_000;

    /// <summary>Single measurements that a round's median is of.</summary>
    public int Samples => IsSmoke ? 20 : 100;

    /// <summary>Rounds of each side before those that count: the just-in-time compiler, which has one core with all else, compiles what is called seldom a second time late.</summary>
    public int WarmUps => IsSmoke ? 1 : 20;

    public TimeSpan Load => TimeSpan.FromSeconds(IsSmoke ? 1 : 4);

    public TimeSpan WarmUp => TimeSpan.FromSeconds(IsSmoke ? 0.3 : 1);

    /// <summary>The results' file, without its ending.</summary>
    public string File { get; init; } = "";

    public static BenchOptions Parse(string[] args)
    {
        var isSmoke = args.Contains("--smoke");
        var rounds = Array.IndexOf(args, "--rounds") is >= 0 and var at ? int.Parse(args[at + 1], null) : isSmoke ? 1 : 9;
        var named = args.Where(arg => arg == "jobs" || s_short.Contains(arg) || s_jobs.Contains(arg)).Distinct().ToList();
        if (named.Count == 0) named = [.. s_short];

        var names = named.SelectMany(name => name == "jobs" ? s_jobs : [name]).Distinct().ToList();
        var durable = args.Contains("--durable") || named.Contains("jobs") || names.Any(name => !s_short.Contains(name));
        return new(names, rounds, isSmoke, durable) { File = string.Join('-', named) };
    }
}
