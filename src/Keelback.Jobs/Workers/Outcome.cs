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

    /// <summary>Whether it says what became of the run, so that a write that changes no row came too late.</summary>
    public bool Tells => this is Succeeded or Failed or Snoozed or Skipped;

    /// <summary>Not at all: handed back, the attempt with it.</summary>
    public sealed record Released(Claim Claim) : Outcome(Claim);

    /// <summary>Nothing is left to write: committed with its own transaction, or taken away.</summary>
    public sealed record Settled(Claim Claim) : Outcome(Claim);
}
