using Keelback.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs;

/// <summary>Which context's transaction a transactional job commits with: the one that it names, or the only one.</summary>
/// <remarks>A guess among several would be wrong without a word: what the job does on another context commits by itself, attempt by attempt.</remarks>
internal sealed class TransactionContexts(IEnumerable<DataContext> added, IServiceProvider services)
{
    private readonly Type[] _added = [.. added.Select(context => context.Type)];

    /// <summary>The scope's context of that kind.</summary>
    /// <exception cref="KeelbackException">KB1211: there is none. KB1296: there are several. KB1297: there is not the one that the kind names.</exception>
    public DbContext Of(JobKind kind, IServiceProvider scope)
    {
        if (kind.Defaults.Context is { } named) return (DbContext?)scope.GetService(named) ?? throw JobErrors.ContextNotAdded(kind, named, _added);
        if (_added.Length > 1) throw JobErrors.ContextNotNamed(kind, _added, Taken(kind));

        return scope.GetService<DbContext>() ?? throw JobErrors.NoContext(kind.Name);
    }

    /// <summary>What the start can know of it: KB1296 to KB1298, or null.</summary>
    public KeelbackException? Mistake(JobKind kind)
    {
        if (!kind.Defaults.Transactional) return null;
        if (kind.Defaults.Context is { } named && services.GetService<IServiceProviderIsService>()?.IsService(named) == false)
            return JobErrors.ContextNotAdded(kind, named, _added);

        var taken = Taken(kind);
        if (kind.Defaults.Context is null && _added.Length > 1) return JobErrors.ContextNotNamed(kind, _added, taken);

        // A class that takes contexts and not this one does its work elsewhere.
        var own = kind.Defaults.Context ?? _added.FirstOrDefault();
        return own is null || taken.Length == 0 || taken.Any(context => context.IsAssignableFrom(own)) ? null : JobErrors.ContextNotTaken(kind, own, taken[0]);
    }

    // DbContext itself is the one that was added first.
    private Type[] Taken(JobKind kind) =>
    [
        .. from constructor in kind.DeclaredBy.GetConstructors()
           from parameter in constructor.GetParameters()
           where typeof(DbContext).IsAssignableFrom(parameter.ParameterType)
           select parameter.ParameterType == typeof(DbContext) ? _added.FirstOrDefault(typeof(DbContext)) : parameter.ParameterType,
    ];
}
