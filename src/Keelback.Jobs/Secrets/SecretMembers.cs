using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Jobs;

/// <summary>Has the serializer write each member that is [Secret] so that it is sealed before it is stored; it reads them in the open.</summary>
internal static class SecretMembers
{
    public static void Mark(JsonTypeInfo type)
    {
        foreach (var member in type.Properties)
        {
            if (!IsSecret(member)) continue;
            if (member.IsExtensionData) throw new NotSupportedException($"'{type.Type}.{member.Name}' is [Secret], and has no name of its own in JSON.");
            member.CustomConverter = (JsonConverter)Activator.CreateInstance(typeof(Marking<>).MakeGenericType(member.PropertyType), Inner(member))!;
        }
    }

    // On the property, or on the parameter of the record's constructor.
    private static bool IsSecret(JsonPropertyInfo member) =>
        member.AttributeProvider?.IsDefined(typeof(SecretAttribute), inherit: true) is true ||
        member.AssociatedParameter?.AttributeProvider?.IsDefined(typeof(SecretAttribute), inherit: true) is true;

    private static JsonConverter? Inner(JsonPropertyInfo member) => member.CustomConverter switch
    {
        JsonConverterFactory factory => factory.CreateConverter(member.PropertyType, member.Options),
        var own => own,
    };

    private sealed class Marking<T>(JsonConverter<T>? own) : JsonConverter<T>
    {
        public override bool HandleNull => true; // whether there is one is nobody's business

        public override T? Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            own is null || (reader.TokenType == JsonTokenType.Null && !own.HandleNull) ? JsonSerializer.Deserialize<T>(ref reader, options) : own.Read(ref reader, type, options);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteStartObject(SecretEnvelope.Name);
            writer.WritePropertyName(SecretEnvelope.Open);
            if (own is null || (value is null && !own.HandleNull)) JsonSerializer.Serialize(writer, value, options);
            else own.Write(writer, value, options);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
    }
}
