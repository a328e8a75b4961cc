using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>One run with all that there is to know of it.</summary>
internal sealed record RunDetails(
    DateTimeOffset Now, long Id, string Kind, string Queue, JobRunState State, int Priority, int Attempt, int MaxAttempts, TimeSpan? Timeout,
    DateTimeOffset EnqueuedAt, DateTimeOffset? DueAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, DateTimeOffset? RetryAt,
    string Input, string? Output, JobError? Error, string? Trace, long? Root, long? Parent, string? Tenant, string[] Limits, DateTimeOffset? ExpiresAt,
    string[] Tags, string? Worker, string? Progress)
{
    /// <summary>The key of the limit that it waits for.</summary>
    public string? WaitsFor { get; init; }

    /// <summary>The run whose end will be this one's.</summary>
    public long? ReplacedBy { get; init; }

    /// <summary>The arguments that are results of other runs.</summary>
    public string[] Bound { get; init; } = [];

    /// <summary>After its end; zero: not at all; null: as long as the run.</summary>
    public TimeSpan? ResultKept { get; init; }

    public IReadOnlyList<JobAttempt> Attempts { get; init; } = [];

    public IReadOnlyList<RunLogLine> Log { get; init; } = [];

    /// <summary>What it was enqueued with; null: it stands alone.</summary>
    public JobGraph? Graph { get; init; }

    public bool HasEnded => State >= JobRunState.Succeeded;
}
