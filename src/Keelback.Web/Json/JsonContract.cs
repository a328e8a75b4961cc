using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Web;

/// <summary>Rules for a member beyond its own attributes, such as the length of the column behind it.</summary>
internal delegate IEnumerable<ValidationAttribute> JsonRules(JsonPropertyInfo member);

/// <summary>What JSON of one type may look like: System.Text.Json's own contract, with nullability and validation attributes.</summary>
internal sealed class JsonContract
{
    private readonly StrictJson _json;
    private readonly Lazy<bool> _hasRules;
    private readonly Lazy<JsonContract?> _element;

    public JsonContract(JsonTypeInfo info, StrictJson json, JsonRules? rules)
    {
        _json = json;
        Info = info;
        IsOpaque = info.PolymorphismOptions is not null;
        Members = info.Kind == JsonTypeInfoKind.Object
            ? [.. info.Properties.Where(IsInput).Select(p => new JsonMember(p, rules))]
            : [];
        TakesStrangers = info.Properties.Any(p => p.IsExtensionData)
            || info.UnmappedMemberHandling == JsonUnmappedMemberHandling.Skip;
        _element = new(() => info.ElementType is null ? null : json.Contract(info.ElementType));
        _hasRules = new(FindRules);
    }

    public JsonTypeInfo Info { get; }

    public Type Type => Info.Type;

    public IReadOnlyList<JsonMember> Members { get; }

    /// <summary>The reader cannot foresee which members there are; System.Text.Json alone decides.</summary>
    public bool IsOpaque { get; }

    public bool TakesStrangers { get; }

    /// <summary>The contract of an array's elements or a dictionary's values.</summary>
    public JsonContract? Element => _element.Value;

    /// <summary>Whether an object of this type, or one below it, has attributes to check.</summary>
    public bool HasRules => _hasRules.Value;

    public JsonContract Of(JsonMember member) => _json.Contract(member.Type);

    public int Find(ref Utf8JsonReader reader, int expected)
    {
        // Members mostly come in the order in which the type has them.
        for (var i = 0; i < Members.Count; i++)
        {
            var index = (expected + i) % Members.Count;
            if (reader.ValueTextEquals(Members[index].Utf8Name)) return index;
        }

        return -1;
    }

    private static bool IsInput(JsonPropertyInfo property) =>
        !property.IsExtensionData && (property.Set is not null || property.AssociatedParameter is not null);

    private bool FindRules() => FindRules([]);

    private bool FindRules(HashSet<Type> seen)
    {
        if (!seen.Add(Type)) return false;
        if (typeof(IValidatableObject).IsAssignableFrom(Type)) return true;
        if (Element is { } element) return element.FindRules(seen);

        return Members.Any(m => m.Rules.Count > 0 || Of(m).FindRules(seen));
    }
}
