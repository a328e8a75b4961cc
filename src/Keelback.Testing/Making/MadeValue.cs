using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Keelback.Testing;

/// <summary>A plausible value for a property; a new one each time.</summary>
internal static class MadeValue
{
    // Values differ within a process; each process has its own databases.
    private static int s_count;

    /// <summary>Null when the type has none.</summary>
    public static object? Of(IProperty property)
    {
        var n = Interlocked.Increment(ref s_count);
        var type = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        var range = Rule<RangeAttribute>(property);

        if (type == typeof(string)) return Text(property, n);
        if (type.IsEnum) return Enum.GetValues(type).GetValue(0);
        if (type == typeof(Guid)) return Guid.CreateVersion7();
        if (type == typeof(bool)) return false;
        if (type == typeof(DateTimeOffset)) return Instant(n);
        if (type == typeof(DateTime)) return Instant(n).UtcDateTime is var utc && IsLocal(property) ? DateTime.SpecifyKind(utc, DateTimeKind.Unspecified) : utc;
        if (type == typeof(DateOnly)) return new DateOnly(2026, 1, 1).AddDays(n % 365);
        if (type == typeof(TimeOnly)) return new TimeOnly(12, n % 60);
        if (type == typeof(TimeSpan)) return TimeSpan.FromMinutes(n % 1000);
        if (type == typeof(Uri)) return new Uri($"https://example.com/{n}");
        if (type == typeof(byte[])) return BitConverter.GetBytes(n);
        if (type.IsArray) return Array.CreateInstance(type.GetElementType()!, 0);
        if (typeof(System.Collections.IList).IsAssignableFrom(type) && !type.IsAbstract) return Activator.CreateInstance(type);
        if (type.IsGenericType && typeof(System.Collections.IEnumerable).IsAssignableFrom(type))
            return Activator.CreateInstance(typeof(List<>).MakeGenericType(type.GetGenericArguments()[0]));

        return IsNumber(type) ? Number(property, type, range, n) : null;
    }

    private static object Number(IProperty property, Type type, RangeAttribute? range, int n)
    {
        // Counting only where it must differ: small numbers pass most rules, such as "over zero".
        var unique = property.IsKey() || property.GetContainingIndexes().Any(i => i.IsUnique);
        var least = range is null ? 1m : Convert.ToDecimal(range.Minimum, CultureInfo.InvariantCulture);
        var most = range is null ? decimal.MaxValue : Convert.ToDecimal(range.Maximum, CultureInfo.InvariantCulture);
        var value = Math.Max(least, unique ? n : Math.Min(1m, most));

        return Convert.ChangeType(Math.Min(value, most), type, CultureInfo.InvariantCulture);
    }

    private static string Text(IProperty property, int n)
    {
        var number = n.ToString(CultureInfo.InvariantCulture);
        var text = Rule<EmailAddressAttribute>(property) is not null || property.Name.EndsWith("Email", StringComparison.Ordinal) ? $"user{number}@example.com"
            : Rule<UrlAttribute>(property) is not null ? $"https://example.com/{number}"
            : $"{property.Name} {number}";

        var least = Math.Max(Rule<MinLengthAttribute>(property)?.Length ?? 0, Rule<StringLengthAttribute>(property)?.MinimumLength ?? 0);
        if (text.Length < least) text = text.PadRight(least, '.');

        // The number at the end is what makes it unique: the front gives way. In base 36 a short column holds more of them.
        var most = property.GetMaxLength() ?? int.MaxValue;
        if (text.Length <= most) return text;

        return most > number.Length + 1 ? text[^most..].TrimStart().PadLeft(most, 'x') : Base36(n, most);
    }

    private static string Base36(int n, int length)
    {
        const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        var text = new char[length];
        for (var i = length - 1; i >= 0; i--, n /= 36) text[i] = Digits[n % 36];

        return new(text);
    }

    private static DateTimeOffset Instant(int n) => new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero).AddMinutes(n);

    private static bool IsLocal(IProperty property) => property.GetColumnType() is { } column && column.StartsWith("timestamp without", StringComparison.Ordinal);

    private static bool IsNumber(Type type) => type != typeof(char) && (type.IsPrimitive || type == typeof(decimal));

    private static TRule? Rule<TRule>(IProperty property)
        where TRule : ValidationAttribute =>
        (TRule?)property.PropertyInfo?.GetCustomAttributes(typeof(TRule), inherit: true).FirstOrDefault();
}
