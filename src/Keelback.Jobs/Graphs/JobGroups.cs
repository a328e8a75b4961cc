namespace Keelback.Jobs;

/// <content>Descriptions that are made of many others, or of a run.</content>
public partial class Job
{
    /// <summary>Waits for all, in their order, and hands their results on as one array; none gives an empty array at once.</summary>
    public static Job<T[]> All<T>(params IEnumerable<Job<T>> jobs) => new(JobKind.Gather, default, JobBinding.OfEach(jobs, JobBinding.Members));

    /// <summary>Waits for all, whatever they return.</summary>
    public static Job All(params IEnumerable<Job> jobs) => new(JobKind.Barrier, default, JobBinding.OfEach(jobs));

    /// <summary>Waits for the end of all, however they end, and hands on what became of each, in their order: the way to go on after a partial failure.</summary>
    public static Job<JobResult<T>[]> AllSettled<T>(params IEnumerable<Job<T>> jobs) => new(JobKind.Gather, default, JobBinding.OfEach(jobs, JobBinding.Members, JobEdgeRule.End));

    /// <inheritdoc cref="AllSettled{T}(IEnumerable{Job{T}})"/>
    public static Job<JobResult[]> AllSettled(params IEnumerable<Job> jobs) => new(JobKind.Gather, default, JobBinding.OfEach(jobs, JobBinding.Members, JobEdgeRule.End));

    /// <summary>A run that is enqueued already, as an argument of another job or one to come after it.</summary>
    /// <remarks>
    /// If it is open, the other job waits for it; if it has ended, its edge opens or closes at once by its rule. Enqueueing locks the run's
    /// row until the transaction ends, so that its end is not missed: commit soon, the run does not end before.
    /// </remarks>
    /// <exception cref="KeelbackException">At enqueueing KB1218: there is no such run in this app. KB1274: the other job takes its result, which was not kept.</exception>
    public static Job<T> Of<T>(long run) => new(Existing(run));

    /// <inheritdoc cref="Of{T}(long)"/>
    public static Job Of(long run) => new(Existing(run));

    private static JobParts Existing(long run) => new(JobKind.Existing, default, []) { Run = run };
}
