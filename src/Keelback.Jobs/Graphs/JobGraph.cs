namespace Keelback.Jobs;

/// <summary>The runs that were enqueued as one, those that took a job's place included, and what leads from one to another.</summary>
/// <param name="Root">The run that was enqueued; of a run without edges, itself.</param>
/// <param name="Nodes">The graph's runs in the order of their ids; then runs of other graphs that an edge leads from or to.</param>
/// <param name="Edges">In the order of the upper runs' ids.</param>
public sealed record JobGraph(long Root, IReadOnlyList<JobGraphNode> Nodes, IReadOnlyList<JobGraphEdge> Edges);

/// <summary>A run as a node of its graph.</summary>
/// <param name="Id">The run's key.</param>
/// <param name="Kind">Which job; <c>keelback.gather</c> and <c>keelback.barrier</c> are groups, <c>keelback.map</c> is a map.</param>
/// <param name="Queue">Where it waits, or waited.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Attempt">Attempts spent, the running one included.</param>
/// <param name="EnqueuedAt">By the database's clock.</param>
/// <param name="StartedAt">The start of the last attempt; null before it ended or while none runs.</param>
/// <param name="FinishedAt">When it ended; null while it is open.</param>
/// <param name="Parent">The run whose attempt enqueued it; of what took a job's place, that job.</param>
/// <param name="ReplacedBy">The run whose end will be this one's.</param>
/// <param name="IsMember">False: it belongs to another graph.</param>
public sealed record JobGraphNode(
    long Id, string Kind, string Queue, JobRunState State, int Attempt,
    DateTimeOffset EnqueuedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, long? Parent, long? ReplacedBy, bool IsMember);

/// <summary>What leads from one run to another that waits for it.</summary>
/// <param name="Up">The run that comes first.</param>
/// <param name="Down">The run that waits.</param>
/// <param name="Rule">Which end opens it.</param>
/// <param name="IsDone">The first run has ended, and the edge did what its rule says.</param>
public sealed record JobGraphEdge(long Up, long Down, JobEdgeRule Rule, bool IsDone);
