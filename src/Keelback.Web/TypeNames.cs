using System.Text.Json;

namespace Keelback.Web;

/// <summary>What a person calls a type's values.</summary>
internal static class TypeNames
{
    public static string Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsArray) return Of(type.GetElementType()!); // asked about one of its values
        if (type.IsEnum) return "one of " + string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName));
        if (type == typeof(Guid)) return "a UUID";
        if (type == typeof(DateOnly)) return "a date such as 2026-01-31";
        if (type == typeof(TimeOnly)) return "a time such as 23:59:59";
        if (type == typeof(DateTimeOffset)) return "a time such as 2026-01-31T23:59:59Z";
        if (type == typeof(Uri)) return "a URL";
        if (type == typeof(TimeSpan)) return "a duration such as 01:30:00";

        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => "true or false",
            TypeCode.SByte => Whole(sbyte.MinValue, sbyte.MaxValue),
            TypeCode.Byte => Whole(byte.MinValue, byte.MaxValue),
            TypeCode.Int16 => Whole(short.MinValue, short.MaxValue),
            TypeCode.UInt16 => Whole(ushort.MinValue, ushort.MaxValue),
            TypeCode.Int32 => Whole(int.MinValue, int.MaxValue),
            TypeCode.UInt32 => Whole(uint.MinValue, uint.MaxValue),
            TypeCode.Int64 => Whole(long.MinValue, long.MaxValue),
            TypeCode.UInt64 => Whole(ulong.MinValue, ulong.MaxValue),
            TypeCode.Single or TypeCode.Double or TypeCode.Decimal => "a number",
            TypeCode.String => "a string",
            TypeCode.Char => "one character",
            TypeCode.DateTime => "a time such as 2026-01-31T23:59:59Z",
            _ => "a value that fits",
        };
    }

    private static string Whole<T>(T from, T to) where T : IFormattable =>
        FormattableString.Invariant($"a whole number from {from} to {to}");
}
