using Microsoft.Extensions.DependencyInjection;

namespace Keelback;

/// <summary>Adds commands of your own.</summary>
public static class CommandBuilderExtensions
{
    /// <summary>Makes <typeparamref name="T"/> a command of the app; the help lists it.</summary>
    /// <remarks>Safe to call twice. One instance per call, from a scope of its own.</remarks>
    /// <exception cref="KeelbackException">KB1508: the class has no <see cref="CommandAttribute"/>. KB1517: the command line cannot set one of its properties.</exception>
    public static KeelbackBuilder AddCommand<T>(this KeelbackBuilder builder)
        where T : Command
    {
        ArgumentNullException.ThrowIfNull(builder);

        if (!builder.Services.Any(s => s.ImplementationInstance is CommandShape shape && shape.Type == typeof(T)))
            builder.Services.AddSingleton(CommandShape.Of(typeof(T)));

        return builder;
    }
}
