using System.Collections.Concurrent;

namespace Keelback.Jobs;

/// <summary>The attempts in this process, by their tokens, and the outcomes of those that came to their end. Any thread may end one.</summary>
/// <remarks>An outcome is here before its attempt is gone: whoever looks at the attempts first misses neither.</remarks>
internal sealed class RunningJobs(TimeProvider clock)
{
    private readonly ConcurrentDictionary<long, RunningJob> _running = new();
    private readonly ConcurrentDictionary<long, RunningJob> _abandoned = new();
    private readonly ConcurrentQueue<Outcome> _outcomes = new();
    private long _ended;

    /// <summary>Attempts that have a slot.</summary>
    public int Count => _running.Count;

    /// <summary>Attempts that were given up and still go on.</summary>
    public int Abandoned => _abandoned.Count;

    /// <summary>Attempts that came to their end, whatever became of what they returned.</summary>
    public long Ended => Interlocked.Read(ref _ended);

    /// <summary>Nothing runs, and every outcome was taken.</summary>
    public bool IsEmpty => _running.IsEmpty && _outcomes.IsEmpty;

    public IEnumerable<RunningJob> All => _running.Values;

    public IEnumerable<Claim> Claims => _running.Values.Select(job => job.Claim);

    /// <summary>Those of the attempts, and of the outcomes that nobody took yet.</summary>
    public IEnumerable<Claim> Held => Claims.Concat(_outcomes.Select(outcome => outcome.Claim));

    public RunningJob? Find(long token) => _running.GetValueOrDefault(token);

    public RunningJob Start(Claim claim) => _running[claim.Token] = new(claim, clock);

    /// <summary>An attempt that never starts.</summary>
    public void EndUnstarted(Outcome outcome) => _outcomes.Enqueue(outcome);

    /// <summary>The attempt came to its end. False: it was given up before, and its outcome is dropped.</summary>
    public bool End(RunningJob job, Outcome outcome)
    {
        Interlocked.Increment(ref _ended);
        if (job.TryEnd())
        {
            Leave(job, outcome);
            return true;
        }

        _abandoned.TryRemove(job.Claim.Token, out _);
        return false;
    }

    /// <summary>Gives an attempt up, unless it has just ended. <see cref="Leave"/> follows.</summary>
    public bool TryAbandon(RunningJob job)
    {
        _abandoned[job.Claim.Token] = job; // first: its end takes it off again
        if (job.TryEnd()) return true;

        _abandoned.TryRemove(job.Claim.Token, out _);
        return false;
    }

    /// <summary>Frees the attempt's slot.</summary>
    public void Leave(RunningJob job, Outcome outcome)
    {
        _outcomes.Enqueue(outcome);
        _running.TryRemove(job.Claim.Token, out _);
    }

    public void TakeOutcomes(List<Outcome> into)
    {
        while (_outcomes.TryDequeue(out var outcome)) into.Add(outcome);
    }
}
