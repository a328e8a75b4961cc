namespace Keelback.Jobs;

/// <summary>One attempt that a worker holds. Every write of it carries the token; once another claim exists, the old token changes no row.</summary>
internal sealed record Claim(long RunId, long Token, int Attempt, int Crashes, string Kind, byte[] Input)
{
    public required int MaxAttempts { get; init; }

    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether other runs wait for this one.</summary>
    public bool Followed { get; init; }

    /// <summary>W3C traceparent of the enqueuer.</summary>
    public string? Trace { get; init; }
}
