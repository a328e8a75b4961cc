using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Tells in this process, after the commit, what a statement of its own did to runs: to who waits for one, to who listens, and to the figures.</summary>
internal sealed class JobNews(RunWaiters waiters, JobEvents events, JobTelemetry telemetry, ILogger<JobNews> log)
{
    /// <summary>A plan was committed: its rows, and what ended with them because a run that it waits for had ended before.</summary>
    public void Enqueued(EnqueuePlan plan)
    {
        Count(plan);
        if (events.AreWanted)
            foreach (var run in plan.Written) events.Raise(new JobEnqueued(run.Id, run.Kind.Name, run.Queue));
        Ended(plan.Ended);
    }

    /// <summary>The same, when nobody will say whether it was committed.</summary>
    public void Count(EnqueuePlan plan)
    {
        foreach (var run in plan.Written) telemetry.Enqueued.Add(1, new KeyValuePair<string, object?>("kind", run.Kind.Name));
    }

    /// <summary>A graph was committed in an attempt's place.</summary>
    public void Replaced(EnqueuePlan plan, Outcome.Replaced replaced)
    {
        var claim = replaced.Claim;
        if (events.AreWanted) events.Raise(new JobReplaced(claim.RunId, claim.Kind, claim.Attempt, replaced.By));
        Enqueued(plan);
        Ended(replaced.AtOnce);
    }

    /// <summary>A worker's outcomes were committed, but for those that came too late.</summary>
    public void Told(IReadOnlyList<Outcome> outcomes, ExchangeResult result)
    {
        foreach (var outcome in outcomes)
        {
            var claim = outcome.Claim;
            if (!result.Wrote(outcome))
            {
                telemetry.FencedWrites.Add(1, new KeyValuePair<string, object?>("kind", claim.Kind));
                Log.WriteFenced(log, claim.Kind, claim.RunId, claim.Attempt);
                continue;
            }

            if (events.AreWanted && EventOf(outcome) is { } e) events.Raise(e);
            Log.Ended(log, claim.Kind, claim.RunId, outcome.Name);
        }

        waiters.Ended(outcomes.Select(o => o.Claim.RunId).Concat(result.Written));
        if (!events.AreWanted) return;

        // A run that was replaced may end by another outcome beside its own.
        var below = result.Written.Except(outcomes.Where(o => o.Tells).Select(o => o.Claim.RunId));
        events.RaiseEnds(outcomes.OfType<Outcome.Settled>().SelectMany(o => o.Below).Concat(below));
    }

    /// <summary>A statement ended these runs, or what it ended ended them.</summary>
    public void Ended(IReadOnlyCollection<long> runs)
    {
        if (runs.Count == 0) return;
        waiters.Ended(runs);
        if (events.AreWanted) events.RaiseEnds(runs);
    }

    private static JobEvent? EventOf(Outcome outcome) => (outcome, outcome.Claim) switch
    {
        (Outcome.Succeeded or Outcome.Settled, var c) => new JobSucceeded(c.RunId, c.Kind, c.Attempt),
        (Outcome.Failed { RetryAfter: { } after } failed, var c) => new JobRetried(c.RunId, c.Kind, c.Attempt, failed.Error, after),
        (Outcome.Failed failed, var c) => new JobFailed(c.RunId, c.Kind, c.Attempt, failed.Error),
        (Outcome.Snoozed snoozed, var c) => new JobSnoozed(c.RunId, c.Kind, snoozed.Delay),
        (Outcome.Skipped { IsRevoked: true } revoked, var c) => new JobRevoked(c.RunId, c.Kind, revoked.Reason),
        (Outcome.Skipped skipped, var c) => new JobSkipped(c.RunId, c.Kind, skipped.Reason),
        _ => null, // handed back: nothing happened to the run; or replaced: that was told at its commit
    };
}
