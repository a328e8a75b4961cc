using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Npgsql;

namespace Keelback.Resources;

/// <summary>One JSON member and the column that it comes from.</summary>
internal sealed record JsonColumn(
    JsonEncodedText Name, int Ordinal, bool IsNullable, Action<Utf8JsonWriter, NpgsqlDataReader, int> Write)
{
    private static readonly Dictionary<Type, Action<Utf8JsonWriter, NpgsqlDataReader, int>> s_plain = new()
    {
        [typeof(string)] = (json, row, i) => json.WriteStringValue(row.GetString(i)),
        [typeof(bool)] = (json, row, i) => json.WriteBooleanValue(row.GetBoolean(i)),
        [typeof(short)] = (json, row, i) => json.WriteNumberValue(row.GetInt16(i)),
        [typeof(int)] = (json, row, i) => json.WriteNumberValue(row.GetInt32(i)),
        [typeof(long)] = (json, row, i) => json.WriteNumberValue(row.GetInt64(i)),
        [typeof(decimal)] = (json, row, i) => json.WriteNumberValue(row.GetDecimal(i)),
        [typeof(double)] = (json, row, i) => json.WriteNumberValue(row.GetDouble(i)),
        [typeof(float)] = (json, row, i) => json.WriteNumberValue(row.GetFloat(i)),
        [typeof(Guid)] = (json, row, i) => json.WriteStringValue(row.GetGuid(i)),
        [typeof(DateTime)] = (json, row, i) => json.WriteStringValue(row.GetDateTime(i)),
        [typeof(DateTimeOffset)] = (json, row, i) => json.WriteStringValue(row.GetFieldValue<DateTimeOffset>(i)),
        [typeof(DateOnly)] = (json, row, i) =>
            json.WriteStringValue(row.GetFieldValue<DateOnly>(i).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
    };

    /// <summary>Null where the member is written in a way that only System.Text.Json knows, or read in one that only EF does.</summary>
    public static JsonColumn? Of(JsonPropertyInfo member, int ordinal, IProperty? property, JsonSerializerOptions options)
    {
        if (member.CustomConverter is not null || member.NumberHandling is not null) return null;

        var type = Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType;
        var isNullable = !member.PropertyType.IsValueType || type != member.PropertyType;
        var info = options.GetTypeInfo(type);
        var isPlain = s_plain.TryGetValue(type, out var plain)
            && info.Converter.GetType().Assembly == typeof(JsonSerializer).Assembly
            && (options.NumberHandling & JsonNumberHandling.WriteAsString) == 0;

        // A value that is not a column as it stands has no converter that we could know.
        if (property is null && !isPlain) return null;

        var converter = property?.GetTypeMapping().Converter;
        var write = converter is null ? isPlain ? plain : null : Converting(converter, info);
        return write is null ? null : new(JsonEncodedText.Encode(member.Name, options.Encoder), ordinal, isNullable, write);
    }

    private static Action<Utf8JsonWriter, NpgsqlDataReader, int> Converting(ValueConverter converter, JsonTypeInfo info)
    {
        var convert = converter.ConvertFromProvider;
        Func<NpgsqlDataReader, int, object> read = Type.GetTypeCode(converter.ProviderClrType) switch
        {
            TypeCode.Int32 => (row, i) => row.GetInt32(i),
            TypeCode.Int64 => (row, i) => row.GetInt64(i),
            TypeCode.Int16 => (row, i) => row.GetInt16(i),
            TypeCode.String => (row, i) => row.GetString(i),
            TypeCode.Boolean => (row, i) => row.GetBoolean(i),
            TypeCode.Decimal => (row, i) => row.GetDecimal(i),
            TypeCode.Double => (row, i) => row.GetDouble(i),
            TypeCode.DateTime => (row, i) => row.GetDateTime(i),
            _ => (row, i) => row.GetValue(i),
        };

        return (json, row, i) => JsonSerializer.Serialize(json, convert(read(row, i)), info);
    }
}
