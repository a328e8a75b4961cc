namespace Keelback.Jobs;

/// <summary>Something that happened to jobs or to this process's worker.</summary>
public abstract record JobEvent;

/// <summary>Something that happened to one run.</summary>
/// <param name="RunId">Its key.</param>
/// <param name="Kind">Which job.</param>
public abstract record JobRunEvent(long RunId, string Kind) : JobEvent;

/// <summary>Its transaction has committed.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobEnqueued(long RunId, string Kind, string Queue) : JobRunEvent(RunId, Kind);

/// <summary>An attempt has begun.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobStarted(long RunId, string Kind, int Attempt) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended with a result.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobSucceeded(long RunId, string Kind, int Attempt) : JobRunEvent(RunId, Kind);

/// <summary>An attempt has failed, and another one follows after so long.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobRetried(long RunId, string Kind, int Attempt, JobError Error, TimeSpan After) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended without success, its attempts spent or rejected.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobFailed(long RunId, string Kind, int Attempt, JobError Error) : JobRunEvent(RunId, Kind);

/// <summary>The run was put off for so long, its attempt given back.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobSnoozed(long RunId, string Kind, TimeSpan Delay) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended with nothing to do.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobSkipped(long RunId, string Kind, JobError Reason) : JobRunEvent(RunId, Kind);

/// <summary>The run has ended because its kind or a tag of it may not run.</summary>
/// <inheritdoc cref="JobRunEvent"/>
public sealed record JobRevoked(long RunId, string Kind, JobError Reason) : JobRunEvent(RunId, Kind);

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

/// <summary>This process's worker has stopped, and holds no run.</summary>
public sealed record WorkerStopped : JobEvent;
