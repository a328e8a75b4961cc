using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Tells in this process what became of the outcomes that a worker has written.</summary>
internal sealed class OutcomeNews(RunWaiters waiters, JobEvents events, JobTelemetry telemetry, ILogger log)
{
    public void Tell(List<Outcome> told, ExchangeResult result)
    {
        foreach (var outcome in told)
        {
            var claim = outcome.Claim;
            if (!result.Wrote(outcome))
            {
                telemetry.FencedWrites.Add(1, new KeyValuePair<string, object?>("kind", claim.Kind));
                Log.WriteFenced(log, claim.Kind, claim.RunId, claim.Attempt);
                continue;
            }

            if (events.AreWanted && EventOf(outcome) is { } e) events.Raise(e);
            Log.Ended(log, claim.Kind, claim.RunId, outcome.GetType().Name);
        }

        waiters.Ended(told.Select(o => o.Claim.RunId).Concat(result.Written));
    }

    private static JobEvent? EventOf(Outcome outcome) => (outcome, outcome.Claim) switch
    {
        (Outcome.Succeeded or Outcome.Settled, var c) => new JobSucceeded(c.RunId, c.Kind, c.Attempt),
        (Outcome.Failed { RetryAfter: { } after } failed, var c) => new JobRetried(c.RunId, c.Kind, c.Attempt, failed.Error, after),
        (Outcome.Failed failed, var c) => new JobFailed(c.RunId, c.Kind, c.Attempt, failed.Error),
        (Outcome.Snoozed snoozed, var c) => new JobSnoozed(c.RunId, c.Kind, snoozed.Delay),
        (Outcome.Skipped { IsRevoked: true } revoked, var c) => new JobRevoked(c.RunId, c.Kind, revoked.Reason),
        (Outcome.Skipped skipped, var c) => new JobSkipped(c.RunId, c.Kind, skipped.Reason),
        _ => null, // handed back: nothing happened to the run
    };
}
