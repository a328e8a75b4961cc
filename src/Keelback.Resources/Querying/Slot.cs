using System.Linq.Expressions;

namespace Keelback.Resources;

/// <summary>A value that becomes a parameter of the statement, never a part of its text.</summary>
/// <remarks>EF takes a member of an object for a variable, and a constant for a constant.</remarks>
internal sealed class Slot<T>(T value)
{
    public T Value { get; } = value;
}

internal static class Slot
{
    public static Expression Of(Type type, object value)
    {
        var slot = Activator.CreateInstance(typeof(Slot<>).MakeGenericType(type), value)!;
        return Expression.Property(Expression.Constant(slot), "Value");
    }
}
