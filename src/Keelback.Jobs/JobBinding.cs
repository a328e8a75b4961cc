using System.Runtime.CompilerServices;

namespace Keelback.Jobs;

/// <summary>An edge of the graph: which parameter gets the result of which job; no parameter: only the order counts.</summary>
internal readonly record struct JobBinding(string? Parameter, Job Source, JobEdgeRule Rule = JobEdgeRule.Success)
{
    /// <summary>The one parameter of <see cref="JobKind.Gather"/>: the members' results, in order.</summary>
    public const string Members = "members";

    /// <summary>Whether what the job was bound to before starts after the source, too: <see cref="Job.Then(Job)"/>.</summary>
    public bool HoldsAll { get; init; }

    /// <summary>The binding of an argument, which may be how a job ended rather than its result.</summary>
    public static JobBinding Of(string parameter, Job source) =>
        source is JobEnd end ? new(parameter, end.Job, end.Rule) : new(parameter, source);

    /// <summary>One of each, in their order.</summary>
    public static JobBinding[] OfEach(
        IEnumerable<Job> sources, string? parameter = null, JobEdgeRule rule = JobEdgeRule.Success, [CallerArgumentExpression(nameof(sources))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(sources, name);
        return [.. sources.Select(source => new JobBinding(parameter, source ?? throw new ArgumentNullException(name, "One of the jobs is null."), rule))];
    }
}

/// <summary>How a job ended, as an argument of another one. Never planned itself.</summary>
internal sealed class JobEnd(Job job, JobEdgeRule rule) : Job(job.Parts)
{
    public Job Job => job;

    public JobEdgeRule Rule => rule;
}

/// <summary>What follows a job's end: made of the job as it is enqueued, so that it follows whatever <c>With</c> and <c>After</c> made of it.</summary>
internal readonly record struct JobCallback(JobEdgeRule Rule, Func<Job, Job> Make);

/// <summary>What a description of a call consists of.</summary>
internal sealed record JobParts(JobKind Kind, ReadOnlyMemory<byte> Payload, IReadOnlyList<JobBinding> Bindings, EnqueueOptions? Options = null)
{
    public IReadOnlyList<JobCallback> Callbacks { get; init; } = [];

    /// <summary>The run that exists already and is meant.</summary>
    public long? Run { get; init; }

    public JobParts After(IEnumerable<Job> first) => this with { Bindings = [.. Bindings, .. JobBinding.OfEach(first)] };

    public JobParts Following(Job first) => this with { Bindings = [.. Bindings, new JobBinding(null, first) { HoldsAll = true }] };

    public JobParts With(EnqueueOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return this with { Options = options.Over(Options) };
    }

    public JobParts FollowedBy(JobEdgeRule rule, Func<Job, Job> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        return this with { Callbacks = [.. Callbacks, new(rule, make)] };
    }
}
