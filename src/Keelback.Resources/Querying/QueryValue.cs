using System.Globalization;
using System.Text.Json;

namespace Keelback.Resources;

/// <summary>Reads one value of a query or a path, strictly and without regard to the server's culture.</summary>
internal static class QueryValue
{
    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <summary>Whether a text can be a value of the type at all.</summary>
    public static bool CanRead(Type type) =>
        type.IsEnum || type == typeof(Guid) || type == typeof(DateOnly) || type == typeof(TimeOnly) || type == typeof(TimeSpan)
        || type == typeof(DateTimeOffset) || Type.GetTypeCode(type) is not (TypeCode.Object or TypeCode.Char or TypeCode.Empty or TypeCode.DBNull);

    public static bool TryRead(Type type, string text, out object? value)
    {
        value = Read(type, text);
        return value is not null;
    }

    private static object? Read(Type type, string text)
    {
        if (type.IsEnum) return ReadEnum(type, text);
        if (type == typeof(Guid)) return Guid.TryParseExact(text, "D", out var guid) ? guid : null;
        if (type == typeof(DateOnly)) return DateOnly.TryParseExact(text, "yyyy-MM-dd", Invariant, DateTimeStyles.None, out var date) ? date : null;
        if (type == typeof(TimeOnly)) return TimeOnly.TryParse(text, Invariant, DateTimeStyles.None, out var time) ? time : null;
        if (type == typeof(TimeSpan)) return TimeSpan.TryParseExact(text, "c", Invariant, out var span) ? span : null;
        if (type == typeof(DateTimeOffset)) return ReadInstant(text);

        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => text.Contains('\0') ? null : text,
            TypeCode.Boolean => text == "true" ? true : text == "false" ? false : null,
            TypeCode.SByte => sbyte.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out var n) ? n : null,
            TypeCode.Byte => byte.TryParse(text, NumberStyles.None, Invariant, out var n) ? n : null,
            TypeCode.Int16 => short.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out var n) ? n : null,
            TypeCode.UInt16 => ushort.TryParse(text, NumberStyles.None, Invariant, out var n) ? n : null,
            TypeCode.Int32 => int.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out var n) ? n : null,
            TypeCode.UInt32 => uint.TryParse(text, NumberStyles.None, Invariant, out var n) ? n : null,
            TypeCode.Int64 => long.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out var n) ? n : null,
            TypeCode.UInt64 => ulong.TryParse(text, NumberStyles.None, Invariant, out var n) ? n : null,
            TypeCode.Decimal => decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, Invariant, out var n) ? n : null,
            TypeCode.Double => double.TryParse(text, NumberStyles.Float, Invariant, out var n) && double.IsFinite(n) ? n : null,
            TypeCode.Single => float.TryParse(text, NumberStyles.Float, Invariant, out var n) && float.IsFinite(n) ? n : null,
            TypeCode.DateTime => ReadInstant(text)?.UtcDateTime,
            _ => null,
        };
    }

    // By name only: a number would also name values that the type does not have.
    private static object? ReadEnum(Type type, string text) =>
        Enum.GetNames(type).FirstOrDefault(n => JsonNamingPolicy.CamelCase.ConvertName(n) == text) is { } name ? Enum.Parse(type, name) : null;

    // A time without a zone is UTC.
    private static DateTimeOffset? ReadInstant(string text) =>
        text.Length >= "2026-01-31".Length && char.IsAsciiDigit(text[0])
        && DateTimeOffset.TryParse(text, Invariant, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant
            : null;
}
