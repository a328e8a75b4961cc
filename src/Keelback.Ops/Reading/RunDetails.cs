using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>One run with all that there is to know of it.</summary>
internal sealed record RunDetails(
    DateTimeOffset Now, long Id, string Kind, string Queue, JobRunState State, int Priority, int Attempt, int MaxAttempts, TimeSpan? Timeout,
    DateTimeOffset EnqueuedAt, DateTimeOffset? DueAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, DateTimeOffset? RetryAt,
    string Input, string? Output, JobError? Error, string? Trace, long? Root, long? Parent, string? Tenant, string[] Limits, DateTimeOffset? ExpiresAt,
    string[] Tags, string? Worker, string? Progress)
{
    public IReadOnlyList<JobAttempt> Attempts { get; init; } = [];

    public IReadOnlyList<RunLogLine> Log { get; init; } = [];

    public RunGraph? Graph { get; init; }

    public bool HasEnded => State >= JobRunState.Succeeded;
}

/// <summary>A line that an attempt logged.</summary>
internal sealed record RunLogLine(DateTimeOffset At, int Attempt, string Level, string Category, string Text);

/// <summary>The runs that a run belongs together with, or (truncated) the first of them.</summary>
internal sealed record RunGraph(IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges, bool Truncated);

internal sealed record GraphNode(long Id, string Kind, JobRunState State);

internal readonly record struct GraphEdge(long Up, long Down);
