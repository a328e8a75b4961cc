namespace Keelback.Jobs;

/// <summary>Something that happened to jobs, to schedules or to this process's worker, and was committed.</summary>
public abstract record JobEvent;

/// <summary>Something that happened to one run.</summary>
/// <param name="RunId">Its key.</param>
/// <param name="Kind">Which job.</param>
public abstract record JobRunEvent(long RunId, string Kind) : JobEvent;

/// <summary>It has become a row, and its transaction has committed: that of the caller, of a tick, or of a job that put a graph in its place.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobEnqueued(long RunId, string Kind, string Queue) : JobRunEvent(RunId, Kind);

/// <summary>An attempt has begun.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobStarted(long RunId, string Kind, int Attempt) : JobRunEvent(RunId, Kind);

/// <summary>The run has put a graph in its place, and ends as the last run of that, <paramref name="By"/>, does: with <see cref="JobSucceeded"/>, <see cref="JobFailed"/> or another.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobReplaced(long RunId, string Kind, int Attempt, long By) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended with a result, its own or that of what took its place.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobSucceeded(long RunId, string Kind, int Attempt) : JobRunEvent(RunId, Kind);

/// <summary>An attempt has failed, and another one follows after so long.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobRetried(long RunId, string Kind, int Attempt, JobError Error, TimeSpan After) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended without success: its attempts spent, rejected, or what took its place did not succeed.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobFailed(long RunId, string Kind, int Attempt, JobError Error) : JobRunEvent(RunId, Kind);

/// <summary>The run was put off for so long, its attempt given back.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobSnoozed(long RunId, string Kind, TimeSpan Delay) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended with nothing to do: the job said so, or no edge that leads to it can open.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobSkipped(long RunId, string Kind, JobError Reason) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended because its kind or a tag of it may not run.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobRevoked(long RunId, string Kind, JobError Reason) : JobRunEvent(RunId, Kind);

/// <summary>The run was cancelled, or what took its place was; <paramref name="Reason"/> is null where none was given.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobCancelled(long RunId, string Kind, JobError? Reason) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended unstarted, its time over.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobExpired(long RunId, string Kind, JobError Reason) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended without having run: one that it waits for did not succeed.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobUpstreamFailed(long RunId, string Kind, JobError Error) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended because too many workers died while they ran it.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobQuarantined(long RunId, string Kind, int Attempt, JobError Error) : JobRunEvent(RunId, Kind);

/// <summary>An attempt did not stop when it was told to, and was given up.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobAbandoned(long RunId, string Kind, int Attempt) : JobRunEvent(RunId, Kind);

/// <summary>Runs of dead workers, of any process, were handed back by this one's sweep.</summary>
/// <param name="Runs">How many.</param>
/// <param name="Quarantined">Of those, ended because too many workers died with them.</param>
public sealed record JobsRescued(int Runs, int Quarantined) : JobEvent;

/// <summary>This process's worker takes jobs from here on.</summary>
/// <param name="Id">As <see cref="JobWorkers.ListAsync"/> shows it.</param>
public sealed record WorkerStarted(int Id) : JobEvent;

/// <summary>This process's worker has lost its lease, to another node or because the database does not answer. Its attempts are told to stop, and theirs are handed on; it goes on when it has a lease again.</summary>
public sealed record WorkerLeaseLost : JobEvent;

/// <summary>This process's worker takes no more jobs: it was told to stop, from here or afar, or is recycled. What runs may end.</summary>
public sealed record WorkerDraining : JobEvent;

/// <summary>This process's worker has stopped, and holds no run.</summary>
public sealed record WorkerStopped : JobEvent;

/// <summary>Something that became of a schedule's tick, on the node that fired it.</summary>
/// <param name="Schedule">Its name.</param>
/// <param name="At">The nominal time.</param>
public abstract record ScheduleEvent(string Schedule, DateTimeOffset At) : JobEvent;

/// <summary>It enqueued a run; of a graph, <paramref name="RunId"/> is the run that it was enqueued as.</summary>
/// <inheritdoc cref="ScheduleEvent"/>
public sealed record ScheduleTicked(string Schedule, DateTimeOffset At, long RunId) : ScheduleEvent(Schedule, At);

/// <summary>Its call could not be made or enqueued.</summary>
/// <inheritdoc cref="ScheduleEvent"/>
public sealed record ScheduleTickFailed(string Schedule, DateTimeOffset At, JobError Error) : ScheduleEvent(Schedule, At);

/// <summary>One tick or several, of which <paramref name="At"/> is the first, passed without a run: too late, coalesced, or over the limit of what is caught up on. A <paramref name="Count"/> of null is over 10,000.</summary>
/// <inheritdoc cref="ScheduleEvent"/>
public sealed record ScheduleTicksPassed(string Schedule, DateTimeOffset At, JobTickOutcome Outcome, int? Count) : ScheduleEvent(Schedule, At);
