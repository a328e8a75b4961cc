using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Web;

/// <summary>Checks one JSON value that is neither object nor array; the reader ends at its last token.</summary>
internal static class JsonScalar
{
    public static (string Code, string Message)? Check(ref Utf8JsonReader reader, JsonTypeInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;

        // A converter of the user's own decides alone what it reads.
        if (info.Converter.GetType().Assembly != typeof(JsonSerializer).Assembly || type.IsEnum) return Try(ref reader, info, type);

        if (Parses(ref reader, type) is { } parses) return parses ? null : ("format", $"Expected {TypeNames.Of(type)}.");

        switch (Type.GetTypeCode(type))
        {
            case TypeCode.String:
                return reader.TokenType != JsonTokenType.String ? Wrong(ref reader, type) : CheckText(ref reader);
            case TypeCode.Boolean:
                return reader.TokenType is JsonTokenType.True or JsonTokenType.False ? null : Wrong(ref reader, type);
            case TypeCode.SByte:
                return IsNumber(ref reader) && reader.TryGetSByte(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.Byte:
                return IsNumber(ref reader) && reader.TryGetByte(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.Int16:
                return IsNumber(ref reader) && reader.TryGetInt16(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.UInt16:
                return IsNumber(ref reader) && reader.TryGetUInt16(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.Int32:
                return IsNumber(ref reader) && reader.TryGetInt32(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.UInt32:
                return IsNumber(ref reader) && reader.TryGetUInt32(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.Int64:
                return IsNumber(ref reader) && reader.TryGetInt64(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.UInt64:
                return IsNumber(ref reader) && reader.TryGetUInt64(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.Decimal:
                return IsNumber(ref reader) && reader.TryGetDecimal(out _) ? null : WrongNumber(ref reader, type);
            case TypeCode.Double:
                return IsNumber(ref reader) && reader.TryGetDouble(out var d) && double.IsFinite(d) ? null : WrongNumber(ref reader, type);
            case TypeCode.Single:
                return IsNumber(ref reader) && reader.TryGetSingle(out var f) && float.IsFinite(f) ? null : WrongNumber(ref reader, type);
            default:
                return Try(ref reader, info, type);
        }
    }

    /// <summary>The string or name at the reader; null when it is no Unicode text (half a surrogate pair).</summary>
    public static string? Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public static string Name(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        _ => "null",
    };

    private static bool IsNumber(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Number;

    private static (string, string)? CheckText(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return null;

        return Text(ref reader) switch
        {
            null => ("text", "The string is not Unicode text: it holds half a surrogate pair."),
            var text when text.Contains('\0') => ("nul", "The character U+0000 cannot be stored."),
            _ => null,
        };
    }

    private static (string, string)? WrongNumber(ref Utf8JsonReader reader, Type type)
    {
        if (reader.TokenType != JsonTokenType.Number) return Wrong(ref reader, type);

        var whole = reader.ValueSpan.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0;
        var fractions = Type.GetTypeCode(type) is TypeCode.Decimal or TypeCode.Double or TypeCode.Single;
        return whole || fractions
            ? ("range", fractions ? "The number is too large." : $"Expected {TypeNames.Of(type)}.")
            : ("type", $"Expected {TypeNames.Of(type)}, got a fraction or an exponent.");
    }

    private static (string, string)? Wrong(ref Utf8JsonReader reader, Type type)
    {
        var got = Name(reader.TokenType);
        reader.Skip();
        return ("type", $"Expected {TypeNames.Of(type)}, got {got}.");
    }

    // As System.Text.Json's converters do, without the exception that is their only way to say no.
    private static bool? Parses(ref Utf8JsonReader reader, Type type)
    {
        if (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped) return null;
        if (type == typeof(Guid)) return reader.TryGetGuid(out _);
        if (type == typeof(DateTime)) return reader.TryGetDateTime(out _);
        if (type == typeof(DateTimeOffset)) return reader.TryGetDateTimeOffset(out _);
        if (type == typeof(DateOnly)) return DateOnly.TryParseExact(reader.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
        return null;
    }

    private static (string, string)? Try(ref Utf8JsonReader reader, JsonTypeInfo info, Type type)
    {
        var ahead = reader;
        try
        {
            var value = JsonSerializer.Deserialize(ref ahead, info);
            reader = ahead;
            return type.IsEnum && value is not null && !IsDefined(type, value)
                ? ("enum", $"Expected {TypeNames.Of(type)}.")
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            var got = Name(reader.TokenType);
            var code = type.IsEnum && reader.TokenType == JsonTokenType.String ? "enum"
                : reader.TokenType == JsonTokenType.String ? "format" : "type";
            reader.Skip();
            return (code, code == "type" ? $"Expected {TypeNames.Of(type)}, got {got}." : $"Expected {TypeNames.Of(type)}.");
        }
    }

    private static bool IsDefined(Type type, object value) =>
        type.IsDefined(typeof(FlagsAttribute), inherit: false) || Enum.IsDefined(type, value);
}
