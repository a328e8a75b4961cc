using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Keelback.Resources;

/// <summary>Schemas of what stands in a path, a query or a header.</summary>
internal static class ScalarSchema
{
    public static OpenApiSchema Of(Type type)
    {
        if (type.IsEnum) return Enum(System.Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName));

        var (kind, format) = Kind(type);
        return new OpenApiSchema { Type = kind, Format = format };
    }

    public static OpenApiSchema Array(Type item) => new() { Type = JsonSchemaType.Array, Items = Of(item) };

    public static OpenApiSchema Array(IEnumerable<string> values) => new() { Type = JsonSchemaType.Array, Items = Enum(values) };

    public static OpenApiSchema Whole(int from, int? to, int? usual) => new()
    {
        Type = JsonSchemaType.Integer,
        Format = "int32",
        Minimum = from.ToString(CultureInfo.InvariantCulture),
        Maximum = to?.ToString(CultureInfo.InvariantCulture),
        Default = usual is null ? null : JsonValue.Create(usual.Value),
    };

    private static OpenApiSchema Enum(IEnumerable<string> values) => new()
    {
        Type = JsonSchemaType.String,
        Enum = [.. values.Select(v => (JsonNode)JsonValue.Create(v)!)],
    };

    private static (JsonSchemaType Kind, string? Format) Kind(Type type)
    {
        if (type == typeof(Guid)) return (JsonSchemaType.String, "uuid");
        if (type == typeof(DateOnly)) return (JsonSchemaType.String, "date");
        if (type == typeof(TimeOnly)) return (JsonSchemaType.String, "time");
        if (type == typeof(DateTimeOffset)) return (JsonSchemaType.String, "date-time");

        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => (JsonSchemaType.Boolean, null),
            TypeCode.Int64 or TypeCode.UInt64 => (JsonSchemaType.Integer, "int64"),
            >= TypeCode.SByte and <= TypeCode.UInt32 => (JsonSchemaType.Integer, "int32"),
            TypeCode.Single or TypeCode.Double => (JsonSchemaType.Number, "double"),
            TypeCode.Decimal => (JsonSchemaType.Number, null),
            TypeCode.DateTime => (JsonSchemaType.String, "date-time"),
            _ => (JsonSchemaType.String, null),
        };
    }
}
