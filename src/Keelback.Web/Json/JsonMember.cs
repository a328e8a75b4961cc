using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Web;

/// <summary>One member that JSON input may have.</summary>
internal sealed class JsonMember
{
    public JsonMember(JsonPropertyInfo info, JsonRules? rules)
    {
        Info = info;
        Utf8Name = Encoding.UTF8.GetBytes(info.Name);
        Rules = [.. Attributes(info), .. rules?.Invoke(info) ?? []];
        LoneRules = [.. Rules.Where(r => !MemberRules.AsksOwner(r))];
        Nulls = JsonNulls.Of(info);
    }

    public JsonPropertyInfo Info { get; }

    public string Name => Info.Name;

    public Type Type => Info.PropertyType;

    public byte[] Utf8Name { get; }

    public bool IsRequired => Info.IsRequired;

    /// <summary>Has its own way of being read, which only System.Text.Json knows.</summary>
    public bool IsOpaque => Info.CustomConverter is not null || Info.NumberHandling is not null;

    public IReadOnlyList<ValidationAttribute> Rules { get; }

    /// <summary>The rules that look at nothing but the member.</summary>
    public IReadOnlyList<ValidationAttribute> LoneRules { get; }

    public JsonNulls Nulls { get; }

    /// <summary>The CLR property's name; the member's JSON name where there is none.</summary>
    public string ClrName => (Info.AttributeProvider as MemberInfo)?.Name ?? Name;

    // A record's positional parameter keeps its attributes to itself unless they say [property: …].
    private static IEnumerable<ValidationAttribute> Attributes(JsonPropertyInfo info) =>
        From(info.AttributeProvider).Concat(From(info.AssociatedParameter?.AttributeProvider));

    private static IEnumerable<ValidationAttribute> From(ICustomAttributeProvider? provider) =>
        provider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>() ?? [];
}
