namespace Keelback.Resources;

/// <summary>A list's query, read and found right.</summary>
internal sealed record ListQuery(
    IReadOnlyList<FilterTerm> Filters,
    IReadOnlyList<string> SearchWords,
    IReadOnlyList<OrderTerm> Orders,
    int Page,
    int PageSize)
{
    public int Offset => (Page - 1) * PageSize;
}

/// <param name="Rule">The filter asked.</param>
/// <param name="Op">What is asked.</param>
/// <param name="Value">A value of the rule's type; for <see cref="FilterOp.In"/> an array of them, for <see cref="FilterOp.IsNull"/> a bool.</param>
internal sealed record FilterTerm(FilterRule Rule, FilterOp Op, object Value);

/// <summary>One key of <c>ordering</c>.</summary>
internal sealed record OrderTerm(OrderRule Rule, bool Descending);
