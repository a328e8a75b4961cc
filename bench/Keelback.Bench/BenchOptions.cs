namespace Keelback.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions(IReadOnlyList<string> Names, int Rounds, bool IsSmoke)
{
    public static readonly string[] All = ["enqueue", "drain", "list", "create"];

    /// <summary>Jobs a round; a smoke run only shows that everything still works.</summary>
    public int Jobs => IsSmoke ? 2_000 : 20_000;

    public TimeSpan Load => TimeSpan.FromSeconds(IsSmoke ? 1 : 4);

    public TimeSpan WarmUp => TimeSpan.FromSeconds(IsSmoke ? 0.3 : 1);

    public static BenchOptions Parse(string[] args)
    {
        var isSmoke = args.Contains("--smoke");
        var rounds = Array.IndexOf(args, "--rounds") is >= 0 and var at ? int.Parse(args[at + 1], null) : isSmoke ? 1 : 9;
        var names = args.Where(All.Contains).ToList();
        return new(names.Count == 0 ? All : names, rounds, isSmoke);
    }
}
