using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Keelback.Data;

/// <summary>Where a property stands in the JSON of its entity.</summary>
internal static class ConstraintPointer
{
    /// <summary><c>/albumId</c>; <c>/address/street</c> inside a complex type; a <c>[JsonPropertyName]</c> is kept.</summary>
    public static string Of(IProperty property)
    {
        var parts = new Stack<string>();
        parts.Push(NameOf(property));
        for (var type = property.DeclaringType; type is IComplexType complex; type = complex.ComplexProperty.DeclaringType)
            parts.Push(NameOf(complex.ComplexProperty));

        return "/" + string.Join('/', parts.Select(part => part.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)));
    }

    private static string NameOf(IPropertyBase property) =>
        property.PropertyInfo?.GetCustomAttributes(typeof(JsonPropertyNameAttribute), inherit: true)
            .OfType<JsonPropertyNameAttribute>().FirstOrDefault()?.Name
        ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name);
}
