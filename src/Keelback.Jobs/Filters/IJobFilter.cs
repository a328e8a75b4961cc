namespace Keelback.Jobs;

/// <summary>Runs around each attempt, as an endpoint filter runs around requests; made from the attempt's scope. Added by <c>AddJobFilter</c>, or an attribute of the job's method.</summary>
/// <remarks>
/// Inside a transactional job's transaction: what a filter writes on its context commits with the run. It sees every attempt that begins, and what that
/// throws, a <see cref="JobExit"/> and the cancellation at a timeout included, but not that a graph took the run's place (<see cref="JobContext.Replace(Job)"/>):
/// that is a normal end, without a result; whether another attempt follows is decided after it, and told by
/// <see cref="JobRetried"/> and <see cref="JobFailed"/>. It sees no end of an attempt that is abandoned or whose worker dies, and nothing of a run
/// that ends without an attempt. What must happen at a run's end is a callback of its graph.
/// </remarks>
public interface IJobFilter
{
    /// <summary>Calls <paramref name="next"/> to go on. What it throws is the attempt's error; without the call the attempt has succeeded with what <see cref="JobInvocation.Result"/> is.</summary>
    ValueTask InvokeAsync(JobInvocation job, JobFilterNext next);
}

/// <summary>The rest of the filters, and at last the job's method.</summary>
public delegate ValueTask JobFilterNext(JobInvocation job);
