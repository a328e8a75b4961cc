using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What the overview shows.</summary>
internal sealed record Overview(
    DateTimeOffset Now, DateTimeOffset CopiedUpTo, FigureRange Range, IReadOnlyList<QueueLook> Queues, IReadOnlyList<WorkerLook> Workers,
    FigureSums Sums)
{
    /// <summary>How far search and figures are behind the runs themselves.</summary>
    public TimeSpan Lag => Now > CopiedUpTo ? Now - CopiedUpTo : TimeSpan.Zero;

    public IReadOnlyCollection<KindFigures> Figures => Sums.Kinds;

    public Figures Total { get; } = Sum(Sums.Kinds);

    public static Figures Sum(IEnumerable<KindFigures> kinds)
    {
        var sum = new Figures();
        foreach (var row in kinds) sum.Add(row.Sums);
        return sum;
    }
}

/// <summary>A queue as it was looked at last: how many runs may start (1,001 means more than 1,000), and since when the oldest of them may.</summary>
internal sealed record QueueLook(
    short Id, string Name, bool Paused, int? Slots, long Open, int Ready, DateTimeOffset? OldestAt, int Running, DateTimeOffset? LookedAt);

/// <summary>A live worker, how many runs it holds, and the oldest of them: all, unless all workers together hold more than 1,000.</summary>
internal sealed record WorkerLook(
    int Id, long Epoch, string Name, string[] Queues, DateTimeOffset StartedAt, DateTimeOffset LeaseUntil, WorkerReport Report, int Busy, IReadOnlyList<Attempt> Running)
{
    public int Concurrency => Report.Concurrency;
}

/// <summary>An attempt that runs now.</summary>
internal sealed record Attempt(long RunId, string Kind, int Number, DateTimeOffset StartedAt);

/// <summary>Something that a person should look at.</summary>
internal sealed record Warning(string Key, string Text, DateTimeOffset Since);
