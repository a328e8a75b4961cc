namespace Keelback.Jobs;

/// <summary>What an attempt comes to that does not return.</summary>
internal sealed class OutcomeRules(RetryRules retries)
{
    /// <param name="claim">The attempt.</param>
    /// <param name="stopped">Why its token was cancelled: then whatever is thrown is taken for the consequence, as drivers wrap a cancellation in their own exceptions.</param>
    /// <param name="e">What it threw, or what stopping it says.</param>
    public Outcome AfterThrowing(Claim claim, StopReason stopped, Exception e) => stopped switch
    {
        // A cancellation that came between the claim's statement and its commit took the run and left the claim: it goes now.
        StopReason.Lost or StopReason.Released => new Outcome.Released(claim),
        StopReason.TimedOut => Failed(claim, e, JobAttemptOutcome.TimedOut),
        _ => e switch
        {
            JobExit { Kind: JobExitKind.Snooze, Delay: { } pause } => new Outcome.Snoozed(claim, pause),
            JobExit { Kind: JobExitKind.Ignore } => new Outcome.Skipped(claim, JobError.Said("Ignored", e.Message)),
            _ => Failed(claim, e, JobAttemptOutcome.Failed),
        },
    };

    private Outcome.Failed Failed(Claim claim, Exception e, JobAttemptOutcome kind)
    {
        var error = e is JobExit exit ? JobError.Said(exit.Kind == JobExitKind.Retry ? "Retry" : "Rejected", exit.Message) : JobError.From(e);
        return new(claim, error, kind, IsHopeless(e) ? null : retries.After(claim, e));
    }

    // The same again would fail the same way.
    private static bool IsHopeless(Exception e) => e
        is JobExit { Kind: JobExitKind.Reject }
        or KeelbackException { Code: "KB1206" or "KB1207" or "KB1208" or "KB1212" or "KB1213" or "KB1219" or "KB1225" or "KB1240" or "KB1241" or "KB1242" or "KB1244" or "KB1246" or "KB1288" };
}
