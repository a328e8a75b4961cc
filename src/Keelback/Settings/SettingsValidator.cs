using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>DataAnnotations on a settings class, nested objects and lists included; every message begins with the setting's full key.</summary>
/// <remarks>What is not nullable is required: a null in it is a mistake without an attribute.</remarks>
internal sealed class SettingsValidator<T>(string section) : IValidateOptions<T>
    where T : class
{
    public ValidateOptionsResult Validate(string? name, T options)
    {
        var failures = new List<string>();
        Object(options, section, new(), failures);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Object(object value, string path, NullabilityInfoContext nullability, List<string> failures)
    {
        var before = failures.Count;
        foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetIndexParameters().Length == 0 && property.GetMethod is { IsPublic: true })
                Property(value, property, $"{path}:{property.Name}", nullability, failures);
        }

        if (failures.Count > before || value is not IValidatableObject whole) return;

        failures.AddRange(whole.Validate(new(value)).Select(r => $"{string.Join(", ", r.MemberNames.DefaultIfEmpty("").Select(m => m.Length > 0 ? $"{path}:{m}" : path))}: {r.ErrorMessage}"));
    }

    private static void Property(object owner, PropertyInfo property, string path, NullabilityInfoContext nullability, List<string> failures)
    {
        var value = property.GetValue(owner);
        if (value is null)
        {
            if (IsRequired(property, nullability)) failures.Add($"{path} is required and has no value.");
            return;
        }

        var shown = value is string or IFormattable ? $"{path} ('{SecretMask.Value(path, Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!)}')" : path;
        var context = new ValidationContext(owner) { MemberName = property.Name, DisplayName = shown };
        foreach (var rule in property.GetCustomAttributes<ValidationAttribute>())
        {
            if (rule.GetValidationResult(value, context) is { } failure) failures.Add(failure.ErrorMessage ?? rule.FormatErrorMessage(shown));
        }

        if (value is IEnumerable items and not string)
        {
            var index = 0;
            foreach (var item in items)
            {
                if (item is not null && IsOurs(item.GetType())) Object(item, $"{path}:{index}", nullability, failures);
                index++;
            }
        }
        else if (IsOurs(value.GetType()))
        {
            Object(value, path, nullability, failures);
        }
    }

    private static bool IsRequired(PropertyInfo property, NullabilityInfoContext nullability) =>
        property.IsDefined(typeof(RequiredAttribute))
        || property.IsDefined(typeof(RequiredMemberAttribute)) && nullability.Create(property).ReadState != NullabilityState.Nullable
        || !property.PropertyType.IsValueType && nullability.Create(property).ReadState == NullabilityState.NotNull;

    // A class of the app's own, not Uri, CultureInfo and the like, whose properties are nobody's settings.
    private static bool IsOurs(Type type) =>
        type is { IsClass: true, IsArray: false } && type != typeof(string) && type.Namespace is { } space
        && !space.StartsWith("System", StringComparison.Ordinal) && !space.StartsWith("Microsoft", StringComparison.Ordinal);
}
