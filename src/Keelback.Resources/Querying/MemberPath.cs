using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Keelback.Resources;

/// <summary>The members that <c>t => t.Album.Title</c> walks over.</summary>
internal static class MemberPath
{
    /// <summary>Outermost first; null when the expression is more than members.</summary>
    public static IReadOnlyList<MemberInfo>? Of(LambdaExpression lambda)
    {
        var path = new List<MemberInfo>();
        var at = Boxed.Unbox(lambda.Body);
        while (at is MemberExpression { Expression: { } inner } member)
        {
            path.Add(member.Member);
            at = Boxed.Unbox(inner);
        }

        if (at != lambda.Parameters[0]) return null;

        path.Reverse();
        return path;
    }

    /// <summary>The model's property at the end of the path; null when it ends elsewhere.</summary>
    public static IProperty? Property(LambdaExpression lambda, IEntityType root)
    {
        if (Of(lambda) is not { Count: > 0 } path) return null;

        ITypeBase type = root;
        foreach (var member in path.SkipLast(1))
        {
            var next = (type as IEntityType)?.FindNavigation(member.Name)?.TargetEntityType as ITypeBase
                ?? type.FindComplexProperty(member.Name)?.ComplexType;
            if (next is null) return null;
            type = next;
        }

        return type.FindProperty(path[^1].Name);
    }
}

/// <summary>Undoes the conversion to object that the compiler puts around a value.</summary>
internal static class Boxed
{
    public static Expression Unbox(Expression expression) =>
        expression is UnaryExpression { NodeType: ExpressionType.Convert } convert && !convert.Type.IsValueType
            ? convert.Operand
            : expression;
}
