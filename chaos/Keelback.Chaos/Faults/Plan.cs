using System.Globalization;

namespace Keelback.Chaos;

/// <summary>One fault to come: when, which, whom it meets, and how hard.</summary>
/// <param name="Index">Its number in the plan.</param>
/// <param name="At">Seconds after the begin.</param>
/// <param name="Fault">Of <see cref="Plan.Faults"/>.</param>
/// <param name="Pick">Chooses the victim among those that are there.</param>
/// <param name="Force">0 to 1.</param>
internal sealed record PlanItem(int Index, double At, string Fault, int Pick, double Force)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index} {At:0.0} {Fault} {Pick} {Force:0.00}");
}

/// <summary>What a seed makes happen.</summary>
internal static class Plan
{
    /// <summary>Each fault with its number in faults.md, what it does, and how often a full run has it.</summary>
    public static readonly (string Name, string Number, int Full, string What)[] Faults =
    [
        ("kill", "F1", 225, "kill -9 of a worker"),
        ("failpoint", "F1", 60, "kill -9 at a named place of the engine"),
        ("kill-producer", "F1", 6, "kill -9 of a producer"),
        ("tick-kill", "F2", 30, "kill -9 of a worker within 20 ms of the second in which every schedule ticks"),
        ("zombie", "F3", 24, "SIGSTOP for twice the lease, SIGCONT"),
        ("crash", "F4", 22, "immediate shutdown of PostgreSQL, and start"),
        ("restart", "F5", 8, "restart of PostgreSQL with down time"),
        ("terminate", "F6", 8, "pg_terminate_backend of random sessions for 6 s"),
        ("lose-answers", "F8", 20, "connections cut after the server has answered"),
        ("blackhole", "F9", 24, "nothing passes between a worker and PostgreSQL"),
        ("one-way", "F10", 8, "requests or answers are held"),
        ("reset", "F10", 8, "RST on all connections of a process"),
        ("slow", "F10", 6, "200 ms each way, or a kilobyte a second"),
        ("errors", "F11", 10, "40001, 40P01, 57P01 in the engine's statements"),
        ("deadlock", "F11", 10, "a foreign transaction locks what completions lock, the other way round"),
        ("own-clock", "F13", 6, "a worker's own clock jumps"),
        ("clock-back", "F14", 2, "the database's clock goes back an hour for 10 s"),
        ("clock-ahead", "F14", 1, "the database's clock goes ahead ten days"),
        ("poison", "F17", 3, "a job that takes its process with it"),
        ("deaf", "F17", 6, "a job that outlives its timeout and ignores its token"),
        ("snapshot", "F21", 2, "a snapshot is held for 40 s"),
        ("herd", "F24", 2, "2,000 runs due in a second in which the database is down"),
        ("roll", "F27 F28", 5, "SIGTERM to all workers, one by one; the next are of the other version"),
    ];

    public static IReadOnlyList<PlanItem> Of(ChaosOptions options)
    {
        var random = new Random(options.Seed);
        var seconds = options.Time.TotalSeconds;
        var drawn = new List<(double At, string Fault, int Pick, double Force)>();
        foreach (var (name, number, full, _) in Faults)
        {
            var count = Math.Max(1, (int)Math.Round(full * (options.Full ? 1 : options.Time.TotalMinutes / 25)));
            var isWanted = options.Only.Count == 0 || options.Only.Contains(name) || number.Split(' ').Any(n => options.Only.Contains(n));
            for (var i = 0; i < count; i++)
            {
                // Spread, so that one kind of fault does not wait for itself; the last seconds are for those that are under way.
                var at = 3 + ((seconds - 8) * (i + random.NextDouble()) / count);
                var item = (at, name, random.Next(), random.NextDouble());
                if (isWanted) drawn.Add(item);
            }
        }

        return [.. drawn.OrderBy(d => d.At).Select((d, i) => new PlanItem(i, d.At, d.Fault, d.Pick, d.Force))];
    }
}
