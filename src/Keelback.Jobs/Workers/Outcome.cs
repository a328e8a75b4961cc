namespace Keelback.Jobs;

/// <summary>How an attempt ended, as far as it still has to be written.</summary>
internal abstract record Outcome(Claim Claim)
{
    /// <summary>With a result; UTF-8 JSON, empty for none.</summary>
    public sealed record Succeeded(Claim Claim, ReadOnlyMemory<byte> Result) : Outcome(Claim);

    /// <summary>With an error; no retry means that the run ends.</summary>
    public sealed record Failed(Claim Claim, JobError Error, JobAttemptOutcome Kind, TimeSpan? RetryAfter) : Outcome(Claim);

    /// <summary>Not yet: the run waits, the attempt given back.</summary>
    public sealed record Snoozed(Claim Claim, TimeSpan Delay) : Outcome(Claim);

    /// <summary>With nothing to do: the run ends as skipped, or as cancelled where it may not run.</summary>
    public sealed record Skipped(Claim Claim, JobError Reason, bool IsRevoked = false) : Outcome(Claim);

    /// <summary>As figures, spans and the log name it.</summary>
    public string Name => this switch
    {
        Succeeded or Settled => "succeeded",
        Replaced => "replaced",
        Failed { RetryAfter: null } => "failed",
        Failed => "retried",
        Snoozed => "snoozed",
        Skipped { IsRevoked: true } => "revoked",
        Skipped => "skipped",
        _ => "released",
    };

    /// <summary>Whether it says what became of the run, so that a write that changes no row came too late.</summary>
    public bool Tells => this is Succeeded or Failed or Snoozed or Skipped;

    /// <summary>Not at all: handed back, the attempt with it.</summary>
    public sealed record Released(Claim Claim) : Outcome(Claim);

    /// <summary>With a result that its own transaction has committed: nothing is left to write.</summary>
    /// <param name="Claim">The attempt.</param>
    /// <param name="Below">Runs that ended because of it.</param>
    public sealed record Settled(Claim Claim, IReadOnlyList<long> Below) : Outcome(Claim);

    /// <summary>By a graph in its place, which is committed as well.</summary>
    /// <param name="Claim">The attempt.</param>
    /// <param name="By">The graph's last run, as which this one ends.</param>
    /// <param name="AtOnce">Runs that ended with the commit, because what the graph waits for had ended before.</param>
    public sealed record Replaced(Claim Claim, long By, IReadOnlyList<long> AtOnce) : Outcome(Claim);
}
