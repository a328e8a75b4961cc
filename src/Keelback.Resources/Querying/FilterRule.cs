using System.Linq.Expressions;

namespace Keelback.Resources;

/// <summary>A member that callers may filter by, and how.</summary>
internal sealed record FilterRule(string Name, LambdaExpression Member, FilterOps Ops)
{
    /// <summary>The type of one value in the query; never a <c>Nullable&lt;T&gt;</c>.</summary>
    public Type ValueType { get; } = Nullable.GetUnderlyingType(Member.ReturnType) ?? Member.ReturnType;

    /// <summary>An op that does not go with the type; null when all do.</summary>
    public FilterOps? Unfit =>
        Ops.HasFlag(FilterOps.Text) && ValueType != typeof(string) ? FilterOps.Text
        : Ops.HasFlag(FilterOps.Range) && (ValueType.IsEnum || !IsOrdered(ValueType)) ? FilterOps.Range
        : Ops.HasFlag(FilterOps.Null) && Member.ReturnType.IsValueType && Nullable.GetUnderlyingType(Member.ReturnType) is null ? FilterOps.Null
        : null;

    public IEnumerable<(string Key, FilterOp Op)> Keys()
    {
        yield return (Name, FilterOp.Equal);
        yield return (Name + "__in", FilterOp.In);
        if (Ops.HasFlag(FilterOps.Range))
        {
            yield return (Name + "__gt", FilterOp.Greater);
            yield return (Name + "__gte", FilterOp.GreaterOrEqual);
            yield return (Name + "__lt", FilterOp.Less);
            yield return (Name + "__lte", FilterOp.LessOrEqual);
        }

        if (Ops.HasFlag(FilterOps.Text))
        {
            yield return (Name + "__contains", FilterOp.Contains);
            yield return (Name + "__startsWith", FilterOp.StartsWith);
        }

        if (Ops.HasFlag(FilterOps.Null)) yield return (Name + "__isNull", FilterOp.IsNull);
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
