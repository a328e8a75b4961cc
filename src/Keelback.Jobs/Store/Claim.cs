namespace Keelback.Jobs;

/// <summary>One attempt that a worker holds. Every write of it carries the token; once another claim exists, the old token changes no row.</summary>
internal sealed record Claim(long RunId, long Token, int Attempt, int Crashes, string Kind, byte[] Input)
{
    /// <summary>
    /// Deaths after which a run is a suspect, of which a worker holds one at a time. Not the first: it befalls all that ran on a node that is lost,
    /// which would come back one by one.
    /// </summary>
    public const short SuspectFrom = 2;

    public bool IsSuspect => Crashes >= SuspectFrom;

    public required int MaxAttempts { get; init; }

    /// <summary>Attempts before the run was last retried by hand, which gave it as many again.</summary>
    public int BaseAttempt { get; init; }

    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether other runs wait for this one.</summary>
    public bool Followed { get; init; }

    /// <summary>Where it was claimed from; a tenant's lane is the negative of its queue.</summary>
    public short Queue { get; init; }

    /// <summary>How long the result stays after the end; zero: not at all; null: as long as the run. A result that another job takes stays, of one that comes after the claim too.</summary>
    public TimeSpan? ResultKept { get; init; }

    public DateTimeOffset? DueAt { get; init; }

    public long? RootId { get; init; }

    public long? ParentId { get; init; }

    /// <summary>Whether it may hold a slot of some limit, which the next may have when it ends.</summary>
    public bool Limited { get; init; }

    /// <summary>Taken to be ended, without a slot or a start of its limits: it may not run, whatever is allowed by now.</summary>
    public bool IsRevoked { get; init; }

    /// <summary>W3C traceparent of the enqueuer.</summary>
    public string? Trace { get; init; }
}
