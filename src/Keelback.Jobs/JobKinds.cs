using System.Collections.Frozen;
using System.Reflection;

namespace Keelback.Jobs;

/// <summary>Every kind that this process can run, by name.</summary>
internal sealed class JobKinds
{
    private readonly FrozenDictionary<string, JobKind> _byName;

    /// <exception cref="KeelbackException">KB1201: two of one name.</exception>
    public JobKinds(IEnumerable<JobKind> kinds)
    {
        var byName = new Dictionary<string, JobKind>(StringComparer.Ordinal);
        foreach (var (first, second) in Duplicates(kinds)) throw JobErrors.DuplicateKind(first, second);
        foreach (var kind in WithEngines(kinds)) byName.TryAdd(kind.Name, kind);

        _byName = byName.ToFrozenDictionary(StringComparer.Ordinal);
        Names = [.. _byName.Keys];
    }

    public string[] Names { get; }

    public IEnumerable<JobKind> All => _byName.Values;

    /// <summary>The queues that calls go to when they name none.</summary>
    public IEnumerable<string> Queues => _byName.Values.Select(kind => kind.Defaults.Queue).Distinct();

    public JobKind? Find(string name) => _byName.GetValueOrDefault(name);

    public string? Nearest(string name) => NearestName.Of(name, Names);

    /// <summary>Kinds of one name that are not the same method.</summary>
    public static IEnumerable<(JobKind First, JobKind Second)> Duplicates(IEnumerable<JobKind> kinds) =>
        from named in WithEngines(kinds).GroupBy(kind => kind.Name, StringComparer.Ordinal)
        from second in named.Skip(1)
        where !named.First().IsSameAs(second)
        select (named.First(), second);

    private static IEnumerable<JobKind> WithEngines(IEnumerable<JobKind> kinds) => [JobKind.Gather, JobKind.Barrier, JobKind.Forward, JobKind.Map, .. kinds];

    /// <summary>The kinds that an assembly declares, and those it references, by their <see cref="JobRegistryAttribute{T}"/>.</summary>
    public static IEnumerable<JobKind> In(Assembly root)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<Assembly>([root]);
        while (open.TryPop(out var assembly))
        {
            if (!seen.Add(assembly.FullName!)) continue;

            foreach (var registry in assembly.GetCustomAttributes<JobRegistryAttribute>())
                foreach (var kind in registry.Kinds)
                    yield return kind;

            foreach (var reference in assembly.GetReferencedAssemblies())
                if (!IsPlatform(reference.Name!) && TryLoad(reference) is { } next)
                    open.Push(next);
        }
    }

    // The platform is most of what an app references, and has no jobs: not opening it keeps the start quick.
    private static bool IsPlatform(string name) =>
        name is "mscorlib" or "netstandard" or "Npgsql"
        || name.StartsWith("System.", StringComparison.Ordinal) || name == "System"
        || name.StartsWith("Microsoft.", StringComparison.Ordinal)
        || name.StartsWith("Npgsql.", StringComparison.Ordinal);

    private static Assembly? TryLoad(AssemblyName name)
    {
        try
        {
            return Assembly.Load(name);
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException or BadImageFormatException)
        {
            return null; // referenced, but not deployed: nobody can have called it
        }
    }
}
