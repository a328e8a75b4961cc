namespace Keelback.Jobs;

/// <summary>What became of a job, as <see cref="Job.AllSettled(IEnumerable{Job})"/> hands it on.</summary>
/// <param name="Run">The run's key.</param>
/// <param name="Kind">Which job.</param>
/// <param name="State">How it ended.</param>
/// <param name="Error">Why it ended without a result.</param>
public record JobResult(long Run, string Kind, JobRunState State, JobError? Error)
{
    /// <summary>Whether there is a result.</summary>
    public bool Succeeded => State == JobRunState.Succeeded;
}

/// <summary>What became of a job that returns a <typeparamref name="T"/>.</summary>
/// <param name="Run">The run's key.</param>
/// <param name="Kind">Which job.</param>
/// <param name="State">How it ended.</param>
/// <param name="Value">Its result; the type's default when it has none.</param>
/// <param name="Error">Why it ended without a result.</param>
public sealed record JobResult<T>(long Run, string Kind, JobRunState State, T? Value, JobError? Error) : JobResult(Run, Kind, State, Error);

/// <summary>What a job that follows a failure is told: <see cref="Job.OnError(Func{Arg{JobFailure}, Job})"/>.</summary>
/// <param name="Run">The run that did not succeed.</param>
/// <param name="Kind">Which job.</param>
/// <param name="State">How it ended; <see cref="JobRunState.UpstreamFailed"/>: it never ran.</param>
/// <param name="Error">Of a run that never ran, the message names the one that failed first. Null for a cancelled one.</param>
public sealed record JobFailure(long Run, string Kind, JobRunState State, JobError? Error);
