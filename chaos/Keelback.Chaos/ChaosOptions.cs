using System.Globalization;

namespace Keelback.Chaos;

/// <summary>What one run is to be.</summary>
internal sealed record ChaosOptions
{
    /// <summary>Decides the plan of faults and every call of the producers.</summary>
    public int Seed { get; init; } = Random.Shared.Next(1, 1_000_000);

    /// <summary>How long faults are made; healing and draining come after it.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>The counts that a release has to stand.</summary>
    public bool Full { get; init; }

    /// <summary>The folder of a run that was broken off.</summary>
    public string? Resume { get; init; }

    /// <summary>The faults to make, by their numbers; empty: all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    public int Workers { get; init; } = 5;

    public int Producers { get; init; } = 2;

    /// <summary>Calls a second, of all producers together.</summary>
    public int Rate { get; init; } = 30;

    /// <summary>Where runs are kept.</summary>
    public string Root { get; init; } = Path.Combine("artifacts", "chaos");

    public static ChaosOptions Parse(string[] args)
    {
        var options = new ChaosOptions();
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "--full")
            {
                options = options with { Full = true, Time = TimeSpan.FromMinutes(25) };
                continue;
            }

            if (i + 1 == args.Length) throw Usage(args[i]);
            var value = args[++i];
            options = args[i - 1] switch
            {
                "--seed" => options with { Seed = Number(value) },
                "--minutes" => options with { Time = TimeSpan.FromMinutes(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--resume" => options with { Resume = value },
                "--only" => options with { Only = value.Split(',') },
                "--workers" => options with { Workers = Number(value) },
                "--producers" => options with { Producers = Number(value) },
                "--rate" => options with { Rate = Number(value) },
                "--root" => options with { Root = value },
                var other => throw Usage(other),
            };
        }

        return options;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static ArgumentException Usage(string argument) => new(
        $"chaos: '{argument}' is not understood. [--seed N] [--minutes M | --full] [--only F1,F3] [--workers N] [--rate N] [--resume FOLDER]; mutants [NAME]; check FOLDER");
}

/// <summary>What a worker or producer process is told.</summary>
internal sealed record RoleOptions(string Name, string Connection, string Ledger, string Pooler, int Seed, int Index, int Version, int Rate)
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan Shutdown = TimeSpan.FromSeconds(5);
    public const int Concurrency = 10;
    public const int CrashLimit = 6;

    public string[] Args =>
        [Name, Connection, Ledger, Pooler, Text(Seed), Text(Index), Text(Version), Text(Rate)];

    /// <summary>Whether the connection goes through a pooler, where LISTEN does not work.</summary>
    public bool IsPooled => Pooler == "pooled";

    public static RoleOptions Parse(string[] args) =>
        new(args[0], args[1], args[2], args[3], Number(args[4]), Number(args[5]), Number(args[6]), Number(args[7]));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
