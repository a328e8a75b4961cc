namespace Keelback.Jobs;

/// <summary>What follows a job follows as a whole: finds the jobs that are held with the one that follows.</summary>
/// <remarks>
/// A job is held with the one that follows if everything that needs it is: what is also needed elsewhere starts with that. So no job is held that
/// the first one waits for, and no circle is closed.
/// </remarks>
/// <param name="jobs">Every job of the plan.</param>
/// <param name="roots">Those that are enqueued.</param>
/// <param name="sources">What a job waits for by its first bindings, as many as are told.</param>
/// <param name="callbacks">What follows a job's end.</param>
internal sealed class HeldGraphs(IEnumerable<Job> jobs, IEnumerable<Job> roots, Func<Job, int, IEnumerable<Job>> sources, ILookup<Job, Job> callbacks)
{
    // Counted once, and only where a graph follows at all: of most plans none does.
    private readonly Lazy<Dictionary<Job, int>> _needs = new(() =>
    {
        var needs = new Dictionary<Job, int>(ReferenceEqualityComparer.Instance);
        foreach (var job in jobs.SelectMany(job => Below(job, job.Bindings.Count, sources, callbacks)).Concat(roots))
            needs[job] = needs.GetValueOrDefault(job) + 1;
        return needs;
    });

    /// <summary>The jobs beside <paramref name="next"/> that are needed only by what <paramref name="owner"/> holds.</summary>
    /// <param name="owner">What comes first.</param>
    /// <param name="next">What follows it.</param>
    /// <param name="bindings">So many of its bindings are the graph that follows; the others came later.</param>
    public List<Job> Of(Job owner, Job next, int bindings)
    {
        var held = new List<Job>();
        var needs = new Dictionary<Job, int>(ReferenceEqualityComparer.Instance);
        var open = new Queue<Job>();
        Reach(Below(next, bindings, sources, callbacks));
        while (open.TryDequeue(out var job))
        {
            held.Add(job);
            Reach(Below(job, job.Bindings.Count, sources, callbacks));
        }

        return held;

        void Reach(IEnumerable<Job> found)
        {
            foreach (var job in found)
                if (job != owner && job != next && (needs[job] = needs.GetValueOrDefault(job) + 1) == _needs.Value[job])
                    open.Enqueue(job);
        }
    }

    private static IEnumerable<Job> Below(Job job, int bindings, Func<Job, int, IEnumerable<Job>> sources, ILookup<Job, Job> callbacks) =>
        sources(job, bindings).Concat(callbacks[job]);
}
