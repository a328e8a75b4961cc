namespace Keelback.Ops;

/// <summary>How many runs a search finds, and how many of them an action would change. <c>IsMore</c>: not all were counted.</summary>
internal sealed record BulkSize(int Found, int Suited, bool IsMore)
{
    /// <summary><c>1 run</c>, <c>more than 10,000 runs</c>; fewer than those when the time was over.</summary>
    public string Words => !IsMore ? Show.Runs(Found) : Found < BulkCounter.Most ? $"at least {Show.Runs(Found)}" : $"more than {Show.Runs(BulkCounter.Most)}";
}

/// <summary>Counts what a search finds before something is done to all of it, no further than a person may want to know.</summary>
internal sealed class BulkCounter(RunSearcher searcher, TimeProvider clock)
{
    public const int Most = 10_000;

    private const int PageSize = 1000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <exception cref="Npgsql.PostgresException">57014: it took longer than 5 s.</exception>
    public async Task<BulkSize> CountAsync(string action, RunSearch search, CancellationToken ct)
    {
        var (found, suited, began) = (0, 0, clock.GetTimestamp());
        for (long? before = null; ;)
        {
            var page = await searcher.FindAsync(search with { Before = before }, PageSize, ct);
            found += page.Runs.Count;
            suited += page.Runs.Count(run => RunActions.Suits(action, run.State));
            if (page.Next is null) return new(found, suited, IsMore: false);
            if (found >= Most || clock.GetElapsedTime(began) > s_patience) return new(found, suited, IsMore: true);
            before = page.Next;
        }
    }
}
