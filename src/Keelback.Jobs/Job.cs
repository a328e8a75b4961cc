using System.Runtime.CompilerServices;

namespace Keelback.Jobs;

/// <summary>The description of one call of a job. Nothing runs until it is enqueued; an argument may be another job's result.</summary>
/// <remarks>
/// Immutable: every method returns another description. The same object used in two places is one run: the expression you write is
/// the graph. What a graph promises is written in docs/guides/graphs.
/// </remarks>
public partial class Job
{
    internal Job(JobKind kind, ReadOnlyMemory<byte> payload, IReadOnlyList<JobBinding> bindings)
        : this(new JobParts(kind, payload, bindings))
    {
    }

    internal Job(JobParts parts) => Parts = parts;

    internal JobParts Parts { get; }

    internal JobKind Kind => Parts.Kind;

    /// <summary>UTF-8 JSON object of the arguments that are known now.</summary>
    internal ReadOnlyMemory<byte> Payload => Parts.Payload;

    /// <summary>The arguments that are other jobs' results, and (with no parameter) jobs that must only come first.</summary>
    internal IReadOnlyList<JobBinding> Bindings => Parts.Bindings;

    /// <summary>What this call overrides of its kind's defaults; null: nothing.</summary>
    internal EnqueueOptions? Options => Parts.Options;

    /// <summary>The same call, started only when <paramref name="first"/> have succeeded. What it takes results of does not wait for them: <see cref="Then(Job)"/> holds the whole graph.</summary>
    public Job After(params IEnumerable<Job> first) => Again(Parts.After(first));

    /// <summary>The same call with other options than its kind's defaults; members that are not set stay as an earlier <c>With</c> has them.</summary>
    public Job With(EnqueueOptions options) => Again(Parts.With(options));

    /// <summary>Both, <paramref name="next"/> and the graph that it is of when this one has succeeded. Returns the second: a chain is enqueued as its last job.</summary>
    /// <remarks>A job of that graph that is also used elsewhere does not wait.</remarks>
    public Job Then(Job next) => Next(next).Again(next.Parts.Following(this));

    /// <inheritdoc cref="Then(Job)"/>
    public Job<TNext> Then<TNext>(Job<TNext> next) => new(Next(next).Parts.Following(this));

    /// <summary>The same call, followed by <paramref name="next"/>, and the graph that it is of, if it succeeds. The run of this call remains the one that is waited for.</summary>
    /// <remarks>A job of that graph that is also used elsewhere does not wait.</remarks>
    public Job OnSuccess(Job next) => Again(Parts.FollowedBy(JobEdgeRule.Success, Given(next)));

    /// <summary>
    /// The same call, followed by a job, and the graph that it is of, if it ends without success: its last attempt failed, its workers died, its time was over, it was
    /// cancelled, or a job that it waited for did not succeed. If it succeeds, the other job and its graph are skipped.
    /// </summary>
    /// <remarks>A job of that graph that is also used elsewhere does not wait.</remarks>
    public Job OnError(Func<Arg<JobFailure>, Job> next) => Again(Parts.FollowedBy(JobEdgeRule.Failure, WithFailure(next)));

    /// <inheritdoc cref="OnError(Func{Arg{JobFailure}, Job})"/>
    public Job OnError(Job next) => Again(Parts.FollowedBy(JobEdgeRule.Failure, Given(next)));

    /// <summary>Another description of the same call, of its own type: a <see cref="Job{T}"/> may be at hand as a <see cref="Job"/>.</summary>
    private protected virtual Job Again(JobParts parts) => new(parts);

    private protected static T Next<T>(T next)
        where T : Job
    {
        ArgumentNullException.ThrowIfNull(next);
        return next;
    }

    private protected static Func<Job, Job> Given(Job next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return _ => next;
    }

    private protected static Func<Job, Job> WithFailure(Func<Arg<JobFailure>, Job> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return job => next(new Arg<JobFailure>(null, new JobEnd(job, JobEdgeRule.Failure)));
    }
}

/// <summary>The description of a call that returns a <typeparamref name="T"/>; usable as an argument of another job.</summary>
public sealed class Job<T> : Job, IJob<T>
{
    internal Job(JobKind kind, ReadOnlyMemory<byte> payload, IReadOnlyList<JobBinding> bindings)
        : base(kind, payload, bindings)
    {
    }

    internal Job(JobParts parts)
        : base(parts)
    {
    }

    Job IJob<T>.Description => this;

    /// <summary>The result of <paramref name="job"/>, when it is there.</summary>
    public static implicit operator Arg<T>(Job<T> job) => new(default, job ?? throw new ArgumentNullException(nameof(job)));

    /// <inheritdoc cref="Job.After"/>
    public new Job<T> After(params IEnumerable<Job> first) => new(Parts.After(first));

    /// <inheritdoc cref="Job.With"/>
    public new Job<T> With(EnqueueOptions options) => new(Parts.With(options));

    /// <summary>A chain: what <paramref name="next"/> makes of this one's result, which may be a job's own name: <c>Media.Fetch(url).Then(Media.Resize)</c>.</summary>
    /// <remarks>Returns the second job: a chain is enqueued as its last one. What that takes beside the result does not wait for this one.</remarks>
    public Job<TNext> Then<TNext>(Func<Arg<T>, Job<TNext>> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return next(this);
    }

    /// <inheritdoc cref="Then{TNext}(Func{Arg{T}, Job{TNext}})"/>
    [OverloadResolutionPriority(-1)]
    public Job Then(Func<Arg<T>, Job> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return next(this);
    }

    /// <inheritdoc cref="Job.OnSuccess(Job)"/>
    public new Job<T> OnSuccess(Job next) => new(Parts.FollowedBy(JobEdgeRule.Success, Given(next)));

    /// <summary>The same call, followed by the job that <paramref name="next"/> makes of its result. The run of this call remains the one that is waited for.</summary>
    public Job<T> OnSuccess(Func<Arg<T>, Job> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new(Parts.FollowedBy(JobEdgeRule.Success, job => next((Job<T>)job)));
    }

    /// <inheritdoc cref="Job.OnError(Func{Arg{JobFailure}, Job})"/>
    public new Job<T> OnError(Func<Arg<JobFailure>, Job> next) => new(Parts.FollowedBy(JobEdgeRule.Failure, WithFailure(next)));

    /// <inheritdoc cref="Job.OnError(Func{Arg{JobFailure}, Job})"/>
    public new Job<T> OnError(Job next) => new(Parts.FollowedBy(JobEdgeRule.Failure, Given(next)));

    private protected override Job Again(JobParts parts) => new Job<T>(parts);
}
