using System.Linq.Expressions;

namespace Keelback.Resources;

/// <summary>A member that callers may filter by, and how.</summary>
internal sealed record FilterRule(string Name, LambdaExpression Member, Ops Ops)
{
    /// <summary>The type of one value in the query; never a <c>Nullable&lt;T&gt;</c>.</summary>
    public Type ValueType { get; } = Nullable.GetUnderlyingType(Member.ReturnType) ?? Member.ReturnType;

    /// <summary>An op that does not go with the type; null when all do.</summary>
    public Ops? Unfit =>
        Ops.HasFlag(Ops.Text) && ValueType != typeof(string) ? Ops.Text
        : Ops.HasFlag(Ops.Range) && (ValueType.IsEnum || !IsOrdered(ValueType)) ? Ops.Range
        : Ops.HasFlag(Ops.Null) && Member.ReturnType.IsValueType && Nullable.GetUnderlyingType(Member.ReturnType) is null ? Ops.Null
        : null;

    public IEnumerable<(string Key, FilterOp Op)> Keys()
    {
        yield return (Name, FilterOp.Equal);
        yield return (Name + "__in", FilterOp.In);
        if (Ops.HasFlag(Ops.Range))
        {
            yield return (Name + "__gt", FilterOp.Greater);
            yield return (Name + "__gte", FilterOp.GreaterOrEqual);
            yield return (Name + "__lt", FilterOp.Less);
            yield return (Name + "__lte", FilterOp.LessOrEqual);
        }

        if (Ops.HasFlag(Ops.Text))
        {
            yield return (Name + "__contains", FilterOp.Contains);
            yield return (Name + "__startsWith", FilterOp.StartsWith);
        }

        if (Ops.HasFlag(Ops.Null)) yield return (Name + "__isNull", FilterOp.IsNull);
    }

    private static bool IsOrdered(Type type) =>
        type == typeof(DateOnly) || type == typeof(TimeOnly) || type == typeof(DateTimeOffset) || type == typeof(TimeSpan)
        || Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.DateTime;
}

/// <summary>One question that a filter can ask.</summary>
internal enum FilterOp
{
    Equal,
    In,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
    StartsWith,
    IsNull,
}

/// <summary>A member that callers may order by.</summary>
internal sealed record OrderRule(string Name, LambdaExpression Member);
