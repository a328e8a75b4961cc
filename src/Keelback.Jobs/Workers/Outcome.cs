namespace Keelback.Jobs;

/// <summary>How an attempt ended, as far as it still has to be written.</summary>
internal abstract record Outcome(Claim Claim)
{
    /// <summary>With a result; UTF-8 JSON, empty for none.</summary>
    public sealed record Succeeded(Claim Claim, ReadOnlyMemory<byte> Result) : Outcome(Claim);

    /// <summary>With an error; no retry means that the run ends.</summary>
    public sealed record Failed(Claim Claim, JobError Error, JobAttemptOutcome Kind, TimeSpan? RetryAfter) : Outcome(Claim);

    /// <summary>Not at all: handed back, the attempt with it.</summary>
    public sealed record Released(Claim Claim) : Outcome(Claim);

    /// <summary>Nothing is left to write: committed with its own transaction, or taken away.</summary>
    public sealed record Settled(Claim Claim) : Outcome(Claim);
}
