using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>Typed settings.</summary>
public static class SettingsBuilderExtensions
{
    /// <summary>
    /// Fills a <typeparamref name="T"/> from a section of the configuration, and lets it be injected by its own name.
    /// Values that do not read, names that do not exist, nulls in what is not nullable and broken DataAnnotations stop the start, all at once.
    /// </summary>
    /// <param name="builder">From <c>AddKeelback</c>.</param>
    /// <param name="section">Such as <c>Shop</c> or <c>Shop:Checkout</c>.</param>
    /// <remarks>Safe to call twice. <typeparamref name="T"/> has a constructor without parameters; <c>IOptions&lt;T&gt;</c> works too.</remarks>
    public static KeelbackBuilder AddSettings<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(
        this KeelbackBuilder builder, string section)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(section);
        var services = builder.Services;

        if (!services.AddSettingsSection(section, typeof(T))) return builder;

        services.AddOptions<T>().BindConfiguration(section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<T>>(new SettingsValidator<T>(section));
        services.AddSingleton(sp => sp.GetRequiredService<IOptions<T>>().Value);

        return builder;
    }

    /// <summary>Tells the checks of a section; false when they know it.</summary>
    internal static bool AddSettingsSection(this IServiceCollection services, string path, Type type)
    {
        var section = new SettingsSection(path, type);
        if (services.Any(s => section.Equals(s.ImplementationInstance))) return false;

        services.AddSingleton(section);
        return true;
    }
}
