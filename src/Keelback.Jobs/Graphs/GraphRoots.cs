namespace Keelback.Jobs;

/// <summary>Which runs of a plan are one graph: those that edges connect. Each is known by the first call of it that was enqueued, whose tags are everybody's.</summary>
internal static class GraphRoots
{
    public static void Mark(EnqueuePlan plan)
    {
        if (plan.IsFlat)
        {
            foreach (var run in plan.Runs) run.Tags = run.Options?.Tags ?? [];
            return;
        }

        var leader = plan.Runs.ToDictionary(run => run, run => run);
        foreach (var run in plan.Runs)
            foreach (var up in run.Ups.Keys)
                if (!up.Exists)
                    leader[Leader(run)] = Leader(up);

        var roots = plan.Roots.ToLookup(Leader);
        foreach (var run in plan.Runs)
        {
            var graph = roots[Leader(run)].ToList();
            var own = run.Options?.Tags ?? [];
            run.Root = run.Followed || run.Ups.Count > 0 ? graph[0] : null;
            run.Tags = [.. graph.SelectMany(root => root.Options?.Tags ?? []).Union(own)];
        }

        PlannedRun Leader(PlannedRun run)
        {
            while (leader[run] != run) run = leader[run] = leader[leader[run]];
            return run;
        }
    }
}
