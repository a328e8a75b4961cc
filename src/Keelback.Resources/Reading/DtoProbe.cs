using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Resources;

/// <summary>Finds out whether a type hands out its values as it was given them: it is made once with marked values, and asked.</summary>
/// <remarks>A record whose property trims its text must be made for each row; one that only holds its values need not be.</remarks>
internal static class DtoProbe
{
    public static bool KeepsItsValues(Expression body, JsonTypeInfo dto)
    {
        try
        {
            return Keeps(body, dto, mark: 1) && Keeps(body, dto, mark: 2);
        }
        catch (Exception e) when (e is TargetInvocationException or ArgumentException or InvalidOperationException)
        {
            // It refuses marked values, so it does something with them.
            return false;
        }
    }

    private static bool Keeps(Expression body, JsonTypeInfo dto, int mark)
    {
        var given = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        var made = body switch
        {
            NewExpression n => Make(n, given, mark),
            MemberInitExpression i => Set(Make(i.NewExpression, given, mark), i, given, mark),
            _ => null,
        };
        if (made is null) return false;

        return dto.Properties
            .Where(p => p.Get is not null && p.AttributeProvider is MemberInfo)
            .All(p => given.TryGetValue(((MemberInfo)p.AttributeProvider!).Name, out var value) && Equals(p.Get!(made), value));
    }

    private static object Make(NewExpression made, Dictionary<string, object?> given, int mark) => made.Constructor!.Invoke(
        [.. made.Constructor.GetParameters().Select(p => given[p.Name!] = Mark(p.ParameterType, given.Count, mark))]);

    private static object Set(object made, MemberInitExpression init, Dictionary<string, object?> given, int mark)
    {
        foreach (var member in init.Bindings.Select(b => b.Member))
        {
            var value = given[member.Name] = Mark(member is PropertyInfo p ? p.PropertyType : ((FieldInfo)member).FieldType, given.Count, mark);
            if (member is PropertyInfo property) property.SetValue(made, value);
            else ((FieldInfo)member).SetValue(made, value);
        }

        return made;
    }

    // Values that trimming, changing case, rounding and clamping would all change.
    private static object? Mark(Type type, int position, int mark)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var number = -mark * 1000 - position;

        if (type == typeof(string)) return $" aB {number}\t";
        if (type == typeof(bool)) return mark == 1;
        if (type == typeof(decimal)) return number + 0.123456789m;
        if (type == typeof(double)) return number + 0.123456789;
        if (type == typeof(float)) return number + 0.125f;
        if (type == typeof(Guid)) return new Guid(number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        if (type == typeof(DateTime)) return new DateTime(1900, 1, 1, 0, 0, 0, 123, DateTimeKind.Utc).AddDays(position + mark);
        if (type == typeof(DateTimeOffset)) return new DateTimeOffset(1900, 1, 1, 0, 0, 0, 123, TimeSpan.Zero).AddDays(position + mark);
        if (type == typeof(DateOnly)) return new DateOnly(1900, 1, 1).AddDays(position + mark);
        if (type == typeof(TimeOnly)) return new TimeOnly(1, 2, 3, 123).Add(TimeSpan.FromMinutes(position + mark));
        if (type == typeof(TimeSpan)) return TimeSpan.FromTicks(number);
        if (type.IsEnum) return Enum.GetValues(type) is { Length: > 0 } all ? all.GetValue((position + mark) % all.Length) : Activator.CreateInstance(type);

        return Type.GetTypeCode(type) switch
        {
            TypeCode.Int16 => (short)number,
            TypeCode.Int32 => number,
            TypeCode.Int64 => (long)number,
            TypeCode.UInt32 => (uint)-number,
            TypeCode.UInt64 => (ulong)-number,
            TypeCode.Byte => (byte)(position + mark),
            _ => type.IsValueType ? Activator.CreateInstance(type) : null,
        };
    }
}
