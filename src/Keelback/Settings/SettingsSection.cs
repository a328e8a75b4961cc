using System.Collections;
using System.ComponentModel;
using System.Reflection;
using Keelback.Web;
using Microsoft.Extensions.Configuration;

namespace Keelback;

/// <summary>A section of the configuration and the class that it fills; registered, so that checks see every section.</summary>
internal sealed record SettingsSection(string Path, Type Type)
{
    /// <summary>Reports values that do not read as their property's type, and keys that no property has.</summary>
    /// <param name="configuration">The root.</param>
    /// <param name="others">All sections: one that lies inside this one is not an unknown key of it.</param>
    /// <param name="findings">Gets the mistakes.</param>
    public void Check(IConfiguration configuration, IReadOnlyList<SettingsSection> others, Findings findings)
    {
        var inner = others.Select(o => o.Path).Where(p => p.StartsWith(Path + ":", StringComparison.OrdinalIgnoreCase));
        Walk(configuration.GetSection(Path), Type, [.. inner.Select(p => p[(Path.Length + 1)..].Split(':')[0])], findings);
    }

    private static void Walk(IConfigurationSection section, Type type, IReadOnlyList<string> also, Findings findings)
    {
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance);
        foreach (var child in section.GetChildren())
        {
            var property = properties.FirstOrDefault(p => p.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            if (property is not null)
                Value(child, property.PropertyType, findings);
            else if (!also.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                Unknown(child, properties.Select(p => p.Name).Concat(also), findings);
        }
    }

    private static void Value(IConfigurationSection section, Type type, Findings findings)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        var converter = TypeDescriptor.GetConverter(plain);
        if (converter.CanConvertFrom(typeof(string)))
        {
            if (section.Value is { } text && !Reads(converter, plain, text))
                findings.Error(KeelbackErrors.SettingUnreadable, $"{section.Path} ('{SecretMask.Value(section.Path, text)}') is not {TypeNames.Of(plain)}.");
        }
        else if (Element(plain) is { } element)
        {
            foreach (var item in section.GetChildren()) Value(item, element, findings);
        }
        else if (plain.IsClass && !typeof(Delegate).IsAssignableFrom(plain))
        {
            Walk(section, plain, [], findings);
        }
    }

    private static bool Reads(TypeConverter converter, Type type, string text)
    {
        try
        {
            return (text.Length == 0 && type != typeof(string) && !type.IsValueType) || converter.ConvertFromInvariantString(text) is not null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException
            || e.InnerException is FormatException or OverflowException)
        {
            return false;
        }
    }

    private static Type? Element(Type type) =>
        type.IsArray ? type.GetElementType()
        : !typeof(IEnumerable).IsAssignableFrom(type) || !type.IsGenericType ? null
        : type.GetGenericArguments()[^1]; // the values of a dictionary, the items of a list

    private static void Unknown(IConfigurationSection section, IEnumerable<string> known, Findings findings)
    {
        var near = NearestName.Of(section.Key, known);
        findings.Error(
            KeelbackErrors.SettingUnknown,
            $"{section.Path} is not a setting.",
            near is null ? "Remove it, or look the name up in the guide." : $"Did you mean '{near}'?");
    }
}
