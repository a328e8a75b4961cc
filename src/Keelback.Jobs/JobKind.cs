using System.ComponentModel;

namespace Keelback.Jobs;

/// <summary>One kind of job as the generator describes it: name, defaults, and how to run it.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class JobKind(string name, Type declaredBy, JobAttribute defaults, JobBody run)
{
    /// <summary>Hands its members' results on as one array; never resolved from services.</summary>
    internal static readonly JobKind Gather = new("keelback.gather", typeof(Job), new(), static call => new(call.RawMembers()));

    /// <summary>Comes after its members, and returns nothing.</summary>
    internal static readonly JobKind Barrier = new("keelback.barrier", typeof(Job), new(), static _ => default);

    /// <summary>Makes a run of each of its items, and puts them in its place.</summary>
    internal static readonly JobKind Map = new("keelback.map", typeof(Job), new(), JobMap.RunAsync);

    /// <summary>Stands for an item while a map is described; never stored.</summary>
    internal static readonly JobKind Item = new("keelback.item", typeof(Job), new(), static _ => default);

    /// <summary>Hands the result of the one that it waits for on as its own.</summary>
    internal static readonly JobKind Forward = new("keelback.forward", typeof(Job), new(), static call => new(call.RawMembers()));

    /// <summary>A run that is enqueued already; never stored.</summary>
    internal static readonly JobKind Existing = new("keelback.existing", typeof(Job), new(), static _ => default);

    /// <summary>The name in the database.</summary>
    public string Name { get; } = name;

    /// <summary>The class that declares the method; resolved from the run's scope.</summary>
    public Type DeclaredBy { get; } = declaredBy;

    /// <summary>Queue, attempts, timeout and the like, where the call says nothing else.</summary>
    public JobAttribute Defaults { get; } = defaults;

    /// <summary>The method's other attributes that derive from <see cref="JobMetadataAttribute"/>.</summary>
    public IReadOnlyList<JobMetadataAttribute> Metadata { get; init; } = [];

    /// <summary>The payload's members that are stored encrypted, by their names in JSON.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Whether it cannot do without a key: a parameter is secret, or a member of what it takes or returns.</summary>
    public bool HoldsSecrets
    {
        get => field || Secrets.Count > 0;
        init;
    }

    /// <summary>Describes a call with every parameter's default, for a job with a <see cref="ScheduleAttribute"/>; null: it has none.</summary>
    public Func<Job>? DefaultCall { get; init; }

    /// <summary>Resolves the class, reads the arguments, calls the method, writes the result.</summary>
    public JobBody Run { get; } = run;

    internal IReadOnlyList<LimitAttribute> Limits => field ??= [.. Metadata.OfType<LimitAttribute>()];

    internal UniqueAttribute? Unique => Metadata.OfType<UniqueAttribute>().FirstOrDefault();

    /// <summary>The templates of its tenant, its unique key and its limits.</summary>
    internal IEnumerable<string> Keys => new[] { Defaults.Tenant, Unique?.Key }.OfType<string>().Concat(Limits.Select(limit => limit.Key));

    // A registry may make new objects each time it is read.
    internal bool IsSameAs(JobKind other) => other.Name == Name && other.DeclaredBy == DeclaredBy;
}

/// <summary>Runs one attempt; the result is UTF-8 JSON, empty for none.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public delegate ValueTask<ReadOnlyMemory<byte>> JobBody(JobCall call);

/// <summary>The jobs that one assembly declares; the generator writes the class, and <see cref="JobRegistryAttribute{T}"/> names it.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IJobRegistry
{
    /// <summary>Every kind of the assembly.</summary>
    static abstract IEnumerable<JobKind> Kinds { get; }
}

/// <summary>Names an assembly's <see cref="IJobRegistry"/>.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class JobRegistryAttribute : Attribute
{
    private protected JobRegistryAttribute()
    {
    }

    internal abstract IEnumerable<JobKind> Kinds { get; }
}

/// <inheritdoc cref="JobRegistryAttribute"/>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class JobRegistryAttribute<T> : JobRegistryAttribute
    where T : IJobRegistry
{
    internal override IEnumerable<JobKind> Kinds => T.Kinds;
}
