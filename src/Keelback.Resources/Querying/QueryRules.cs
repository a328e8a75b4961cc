using System.Linq.Expressions;

namespace Keelback.Resources;

/// <summary>The keys that a list's query may hold, and what each means.</summary>
internal sealed class QueryRules
{
    public QueryRules(
        IReadOnlyList<FilterRule> filters,
        IReadOnlyList<LambdaExpression> searched,
        IReadOnlyList<OrderRule> orders,
        int pageSize,
        int maxPageSize)
    {
        (Filters, Searched, PageSize, MaxPageSize) = (filters, searched, pageSize, maxPageSize);
        FilterKeys = filters
            .SelectMany(f => f.Keys().Select(k => (k.Key, Rule: f, k.Op)))
            .ToDictionary(k => k.Key, k => (k.Rule, k.Op), StringComparer.Ordinal);
        Orders = orders.ToDictionary(o => o.Name, StringComparer.Ordinal);
        Known =
        [
            .. FilterKeys.Keys,
            .. searched.Count > 0 ? [QueryKeys.Search] : Array.Empty<string>(),
            .. orders.Count > 0 ? [QueryKeys.Ordering] : Array.Empty<string>(),
            QueryKeys.Page,
            QueryKeys.PageSize,
        ];
    }

    public IReadOnlyList<FilterRule> Filters { get; }

    /// <summary>By query key, such as <c>unitPrice__gte</c>.</summary>
    public IReadOnlyDictionary<string, (FilterRule Rule, FilterOp Op)> FilterKeys { get; }

    /// <summary>The members that each word of <c>search</c> is looked for in.</summary>
    public IReadOnlyList<LambdaExpression> Searched { get; }

    /// <summary>By what may stand in <c>ordering</c>.</summary>
    public IReadOnlyDictionary<string, OrderRule> Orders { get; }

    public int PageSize { get; }

    public int MaxPageSize { get; }

    /// <summary>Every key there is, for hints and documents.</summary>
    public IReadOnlyList<string> Known { get; }
}

/// <summary>The keys that every list has.</summary>
internal static class QueryKeys
{
    public const string Search = "search";
    public const string Ordering = "ordering";
    public const string Page = "page";
    public const string PageSize = "pageSize";

    public static readonly string[] Reserved = [Search, Ordering, Page, PageSize];
}
