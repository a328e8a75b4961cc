namespace Keelback.Jobs;

/// <summary>The description of one call of a job. Nothing runs until it is enqueued; an argument may be another job's result.</summary>
/// <remarks>Immutable. The same object used in two places is one run: the expression you write is the graph.</remarks>
public class Job
{
    internal Job(JobKind kind, ReadOnlyMemory<byte> payload, IReadOnlyList<JobBinding> bindings, EnqueueOptions? options = null) =>
        (Kind, Payload, Bindings, Options) = (kind, payload, bindings, options);

    internal JobKind Kind { get; }

    /// <summary>UTF-8 JSON object of the arguments that are known now.</summary>
    internal ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The arguments that are other jobs' results, and (with no parameter) jobs that must only come first.</summary>
    internal IReadOnlyList<JobBinding> Bindings { get; }

    /// <summary>What this call overrides of its kind's defaults; null: nothing.</summary>
    internal EnqueueOptions? Options { get; }

    /// <summary>Waits for all, in their order, and hands their results on as one array; none gives an empty array at once.</summary>
    public static Job<T[]> All<T>(params IEnumerable<Job<T>> jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return new(JobKind.Gather, default, [.. jobs.Select(job => new JobBinding(JobBinding.Members, job))]);
    }

    /// <summary>Waits for all, whatever they return.</summary>
    public static Job All(params IEnumerable<Job> jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return new(JobKind.Barrier, default, [.. jobs.Select(job => new JobBinding(null, job))]);
    }

    /// <summary>The same call, started only when <paramref name="first"/> have succeeded.</summary>
    public Job After(params IEnumerable<Job> first) => new(Kind, Payload, Following(first), Options);

    /// <summary>The same call with other options than its kind's defaults; members that are not set stay as an earlier <c>With</c> has them.</summary>
    public Job With(EnqueueOptions options) => new(Kind, Payload, Bindings, Over(options));

    private protected EnqueueOptions Over(EnqueueOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Over(Options);
    }

    private protected IReadOnlyList<JobBinding> Following(IEnumerable<Job> first) =>
        [.. Bindings, .. first.Select(job => new JobBinding(null, job))];
}

/// <summary>The description of a call that returns a <typeparamref name="T"/>; usable as an argument of another job.</summary>
public sealed class Job<T> : Job
{
    internal Job(JobKind kind, ReadOnlyMemory<byte> payload, IReadOnlyList<JobBinding> bindings, EnqueueOptions? options = null)
        : base(kind, payload, bindings, options)
    {
    }

    /// <summary>The result of <paramref name="job"/>, when it is there.</summary>
    public static implicit operator Arg<T>(Job<T> job) => new(default, job ?? throw new ArgumentNullException(nameof(job)));

    /// <inheritdoc cref="Job.After"/>
    public new Job<T> After(params IEnumerable<Job> first) => new(Kind, Payload, Following(first), Options);

    /// <inheritdoc cref="Job.With"/>
    public new Job<T> With(EnqueueOptions options) => new(Kind, Payload, Bindings, Over(options));
}
