using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Resources;

/// <summary>Puts a list's query onto an <see cref="IQueryable{T}"/>.</summary>
internal static class QueryableRows
{
    private const string Escape = "\\";

    private static readonly MethodInfo s_iLike = typeof(NpgsqlDbFunctionsExtensions).GetMethod(
        nameof(NpgsqlDbFunctionsExtensions.ILike), [typeof(DbFunctions), typeof(string), typeof(string), typeof(string)])!;

    private static readonly MethodInfo s_contains = typeof(Enumerable).GetMethods()
        .Single(m => m.Name == nameof(Enumerable.Contains) && m.GetParameters().Length == 2);

    public static IQueryable<T> Where<T>(this IQueryable<T> rows, ListQuery query, QueryRules rules)
    {
        foreach (var term in query.Filters) rows = rows.Where(Predicate<T>(term));
        foreach (var word in query.SearchWords) rows = rows.Where(Search<T>(rules.Searched, word));
        return rows;
    }

    /// <summary>Orders by what was asked and then by the key, so that the order is total.</summary>
    public static IQueryable<T> OrderBy<T>(this IQueryable<T> rows, ListQuery query, LambdaExpression key)
    {
        var ordered = false;
        foreach (var term in query.Orders)
        {
            rows = Order(rows, term.Rule.Member, term.Descending, ordered);
            ordered = true;
        }

        return Order(rows, key, descending: false, ordered);
    }

    public static Expression<Func<T, bool>> Equals<T>(LambdaExpression member, object value) =>
        Expression.Lambda<Func<T, bool>>(Expression.Equal(member.Body, Slot.Of(member.ReturnType, value)), member.Parameters);

    private static IQueryable<T> Order<T>(IQueryable<T> rows, LambdaExpression member, bool descending, bool then)
    {
        var method = (then, descending) switch
        {
            (false, false) => nameof(Queryable.OrderBy),
            (false, true) => nameof(Queryable.OrderByDescending),
            (true, false) => nameof(Queryable.ThenBy),
            (true, true) => nameof(Queryable.ThenByDescending),
        };
        return rows.Provider.CreateQuery<T>(Expression.Call(
            typeof(Queryable), method, [typeof(T), member.ReturnType], rows.Expression, Expression.Quote(member)));
    }

    private static Expression<Func<T, bool>> Predicate<T>(FilterTerm term)
    {
        var (rule, member) = (term.Rule, term.Rule.Member.Body);
        Expression Value() => Slot.Of(member.Type, term.Value);
        Expression Comparison(ExpressionType op) => Expression.MakeBinary(op, member, Value());

        var body = term.Op switch
        {
            FilterOp.Equal => Comparison(ExpressionType.Equal),
            FilterOp.Greater => Comparison(ExpressionType.GreaterThan),
            FilterOp.GreaterOrEqual => Comparison(ExpressionType.GreaterThanOrEqual),
            FilterOp.Less => Comparison(ExpressionType.LessThan),
            FilterOp.LessOrEqual => Comparison(ExpressionType.LessThanOrEqual),
            FilterOp.In => Expression.Call(s_contains.MakeGenericMethod(rule.ValueType),
                Slot.Of(rule.ValueType.MakeArrayType(), term.Value),
                member.Type == rule.ValueType ? member : Expression.Convert(member, rule.ValueType)),
            FilterOp.Contains => Like(member, "%" + Escaped((string)term.Value) + "%"),
            FilterOp.StartsWith => Like(member, Escaped((string)term.Value) + "%"),
            FilterOp.IsNull => Expression.MakeBinary(
                (bool)term.Value ? ExpressionType.Equal : ExpressionType.NotEqual, member, Expression.Constant(null, member.Type)),
            _ => throw new InvalidOperationException(term.Op.ToString()),
        };

        return Expression.Lambda<Func<T, bool>>(body, rule.Member.Parameters);
    }

    private static Expression<Func<T, bool>> Search<T>(IReadOnlyList<LambdaExpression> members, string word)
    {
        var row = Expression.Parameter(typeof(T), "row");
        var pattern = "%" + Escaped(word) + "%";
        var any = members
            .Select(m => Like(new Swap(m.Parameters[0], row).Visit(m.Body), pattern))
            .Aggregate<Expression>(Expression.OrElse);

        return Expression.Lambda<Func<T, bool>>(any, row);
    }

    private static MethodCallExpression Like(Expression member, string pattern) => Expression.Call(
        s_iLike, Expression.Constant(EF.Functions), member, Slot.Of(typeof(string), pattern), Expression.Constant(Escape));

    private static string Escaped(string text) => text
        .Replace(Escape, Escape + Escape, StringComparison.Ordinal)
        .Replace("%", Escape + "%", StringComparison.Ordinal)
        .Replace("_", Escape + "_", StringComparison.Ordinal);

    private sealed class Swap(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : node;
    }
}
