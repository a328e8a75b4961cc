using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Keelback;

/// <summary>Adds checks of your own.</summary>
public static class CheckBuilderExtensions
{
    /// <summary>Adds a check that the start and the <c>check</c> command run; its constructor may ask for singletons.</summary>
    /// <remarks>Safe to call twice.</remarks>
    public static KeelbackBuilder AddCheck<T>(this KeelbackBuilder builder)
        where T : class, ICheck
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<ICheck, T>());
        return builder;
    }
}
