using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Data;

/// <summary>Decides whether contexts of a type may serve one scope after another.</summary>
/// <remarks>EF resets what it knows of a context, not the fields that a class adds: a tenant set by one request would be seen by the next.</remarks>
internal static class ContextPooling
{
    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>True where nothing but options goes into it and nothing but sets is kept in it.</summary>
    public static bool Fits(Type context)
    {
        if (context.GetConstructors() is not [var constructor] || constructor.GetParameters() is not [var options] || !IsOptions(options.ParameterType))
            return false;

        for (var type = context; type != typeof(DbContext); type = type.BaseType!)
        {
            if (type.GetMethod("OnConfiguring", Own) is not null || !type.GetFields(Own).All(f => IsOptions(f.FieldType) || IsSet(f.FieldType)))
                return false;
        }

        return true;
    }

    private static bool IsOptions(Type type) => type.IsAssignableTo(typeof(DbContextOptions));

    private static bool IsSet(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(DbSet<>);
}
