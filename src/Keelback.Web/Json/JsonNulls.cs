using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Web;

/// <summary>Where null may stand: at the value itself, and in what it holds.</summary>
/// <remarks>System.Text.Json knows the first only; a null in a <c>List&lt;string&gt;</c> would reach the handler.</remarks>
internal sealed record JsonNulls(bool Allowed, JsonNulls? Element)
{
    /// <summary>For types whose annotations cannot be seen, such as a body's own: null where the type is <c>Nullable&lt;T&gt;</c>.</summary>
    public static readonly JsonNulls Unknown = new(false, null);

    public static JsonNulls Of(JsonPropertyInfo info)
    {
        // The context caches without locks; contracts are made by any thread.
        var context = new NullabilityInfoContext();
        var seen = info.AttributeProvider switch
        {
            PropertyInfo property => context.Create(property),
            FieldInfo field => context.Create(field),
            _ => null,
        };
        if (seen is not null) return Of(seen);

        return new(!info.PropertyType.IsValueType && info.IsSetNullable || IsNullable(info.PropertyType), null);
    }

    public static bool IsNullable(Type type) => Nullable.GetUnderlyingType(type) is not null;

    private static JsonNulls Of(NullabilityInfo info)
    {
        var element = info.ElementType
            ?? (Nullable.GetUnderlyingType(info.Type) is null ? info.GenericTypeArguments.LastOrDefault() : null);
        var state = info.WriteState == NullabilityState.Unknown ? info.ReadState : info.WriteState;

        return new(state != NullabilityState.NotNull, element is null ? null : Of(element));
    }
}
