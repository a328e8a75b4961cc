namespace Keelback.Jobs;

/// <summary>Puts the runs of a plan in an order in which each comes after those it waits for, and finds the circle when there is none.</summary>
internal static class GraphOrder
{
    /// <exception cref="KeelbackException">KB1240.</exception>
    public static List<PlannedRun> Sort(IReadOnlyList<PlannedRun> runs)
    {
        var waits = runs.ToDictionary(run => run, run => run.Ups.Keys.Count(up => !up.Exists));
        var downs = runs.SelectMany(run => run.Ups.Keys, (run, up) => (run, up)).ToLookup(edge => edge.up, edge => edge.run);

        var sorted = new List<PlannedRun>(runs.Count);
        var free = new Queue<PlannedRun>(runs.Where(run => waits[run] == 0));
        while (free.TryDequeue(out var run))
        {
            sorted.Add(run);
            foreach (var down in downs[run])
                if (--waits[down] == 0)
                    free.Enqueue(down);
        }

        return sorted.Count == runs.Count ? sorted : throw JobErrors.Cycle(Circle(runs.First(run => waits[run] > 0), waits));
    }

    // Whoever is left waits for another one that is left: going up from any of them comes round.
    private static IEnumerable<string> Circle(PlannedRun start, Dictionary<PlannedRun, int> waits)
    {
        var path = new List<PlannedRun>();
        var at = start;
        while (!path.Contains(at))
        {
            path.Add(at);
            at = at.Ups.Keys.First(up => !up.Exists && waits[up] > 0);
        }

        return path.Skip(path.IndexOf(at)).Append(at).Reverse().Select(run => run.Kind.Name);
    }
}
