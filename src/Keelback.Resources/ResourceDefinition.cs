using System.Linq.Expressions;
using Microsoft.AspNetCore.Http;

namespace Keelback.Resources;

/// <summary>What a resource offers, as configured; nothing here has met the model yet.</summary>
internal sealed record ResourceDefinition<T, TDto>(
    string Name,
    Expression<Func<T, TDto>> Read,
    Func<HttpContext, Expression<Func<T, bool>>>? Scope,
    IReadOnlyList<FilterRule> Filters,
    IReadOnlyList<LambdaExpression> Searched,
    IReadOnlyList<OrderRule> Orders,
    int PageSize,
    int MaxPageSize,
    Type? Create,
    Type? Update,
    bool Delete,
    bool RequireIfMatch) : IResourceDefinition
    where T : class
    where TDto : class
{
    public Type Entity => typeof(T);

    public Type Dto => typeof(TDto);

    public QueryRules Query { get; } = new(Filters, Searched, Orders, PageSize, MaxPageSize);
}

/// <summary>What documents and checks need of a definition, whatever its types.</summary>
internal interface IResourceDefinition
{
    string Name { get; }

    Type Entity { get; }

    Type Dto { get; }

    Type? Create { get; }

    Type? Update { get; }

    bool RequireIfMatch { get; }

    QueryRules Query { get; }
}
