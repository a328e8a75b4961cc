using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Keelback.Jobs.Generator;

/// <summary>Which types System.Text.Json writes and reads back as the same value.</summary>
internal static class PayloadType
{
    private const string Json = "System.Text.Json";

    private static readonly ImmutableHashSet<string> s_lists = ImmutableHashSet.Create(
        "System.Collections.Generic.IEnumerable<T>", "System.Collections.Generic.ICollection<T>",
        "System.Collections.Generic.IList<T>", "System.Collections.Generic.IReadOnlyCollection<T>",
        "System.Collections.Generic.IReadOnlyList<T>", "System.Collections.Generic.List<T>");

    private static readonly ImmutableHashSet<string> s_otherInterfaces = ImmutableHashSet.Create(
        "System.Collections.Generic.ISet<T>", "System.Collections.Generic.IReadOnlySet<T>",
        "System.Collections.Generic.IDictionary<TKey, TValue>", "System.Collections.Generic.IReadOnlyDictionary<TKey, TValue>");

    /// <summary>T of a list of T; null for all else, and for bytes, which JSON holds as base64 in an array but as numbers in a list.</summary>
    public static ITypeSymbol? ItemOf(ITypeSymbol type)
    {
        var item = type switch
        {
            IArrayTypeSymbol { Rank: 1 } array => array.ElementType,
            INamedTypeSymbol { IsGenericType: true } named when s_lists.Contains(Definition(named)) => named.TypeArguments[0],
            _ => null,
        };

        return item?.SpecialType == SpecialType.System_Byte ? null : item;
    }

    /// <summary>Why a type cannot be part of a payload; null: it can. The app's own types are looked into, as deep as they go.</summary>
    public static string? WhyNot(ITypeSymbol type) => WhyNot(type, new(SymbolEqualityComparer.Default));

    // Seen: a type that holds itself is looked into once.
    private static string? WhyNot(ITypeSymbol type, HashSet<ITypeSymbol> seen) => type switch
    {
        { TypeKind: TypeKind.Error } => null, // the compiler says so itself
        IPointerTypeSymbol or IFunctionPointerTypeSymbol => "a pointer means nothing in another process",
        { IsRefLikeType: true } => "a ref struct cannot be stored",
        { TypeKind: TypeKind.Dynamic } or { SpecialType: SpecialType.System_Object } =>
            "an object is read back as a JsonElement; use JsonElement, or a type of your own",
        { SpecialType: SpecialType.System_IntPtr or SpecialType.System_UIntPtr } => "a native integer differs between machines; use long",
        { TypeKind: TypeKind.Delegate } => "a delegate is code, not data",
        IArrayTypeSymbol { Rank: > 1 } => "System.Text.Json has no arrays of several dimensions; use an array of arrays",
        IArrayTypeSymbol array => WhyNot(array.ElementType, seen),
        INamedTypeSymbol named => WhyNot(named, seen),
        _ => null,
    };

    private static string? WhyNot(INamedTypeSymbol type, HashSet<ITypeSymbol> seen)
    {
        if (type.IsTupleType) return "the fields of a tuple are not written; use a record";
        if (Is(type, "System.Threading.CancellationToken")) return "the token is the last parameter, and there is one";
        if (IsOrHas(type, "System.Linq.IQueryable")) return "a query is not data; pass keys, or the rows";
        if (Is(type.OriginalDefinition, "System.Collections.Generic.IAsyncEnumerable<T>")) return "it would have to be read to its end first; pass a list";
        if (HasConverter(type) || type.ContainingNamespace?.ToDisplayString().StartsWith(Json, StringComparison.Ordinal) == true) return null;
        if (Inherits(type, "System.Threading.Tasks.Task")) return "a task belongs to this process; await it first";
        if (Inherits(type, "System.Exception")) return "exceptions cannot be read back; pass what you need of it";
        if (Inherits(type, "System.Reflection.MemberInfo") || Inherits(type, "System.Linq.Expressions.Expression")) return "it is code, not data";
        if (IsOrHas(type, "System.IDisposable") || IsOrHas(type, "System.IAsyncDisposable"))
            return "it holds resources of this process; pass a key to find it again, and get services by the constructor";

        if (!seen.Add(type)) return null;
        return type.TypeArguments.Select(argument => WhyNot(argument, seen)).FirstOrDefault(reason => reason is not null)
            ?? CannotBeMade(type)
            ?? PayloadMembers.Of(type).Select(member => member.IsReadBack
                ? WhyNot(member.Type, seen) is { } why ? $"its {member.Name} is '{member.Type.ToDisplayString()}': {why}" : null
                : $"its {member.Name} is not read back; {member.WayOut}").FirstOrDefault(reason => reason is not null);
    }

    private static string? CannotBeMade(INamedTypeSymbol type)
    {
        if (type.TypeKind == TypeKind.Interface)
        {
            return s_lists.Contains(Definition(type)) || s_otherInterfaces.Contains(Definition(type))
                ? null
                : "nothing says which class to make of an interface; use a class or a record, and get services by the constructor";
        }

        if (type.TypeKind != TypeKind.Class) return null;
        if (type.IsAbstract) return "nothing says which class to make of an abstract one; add [JsonDerivedType]";
        if (type.DeclaringSyntaxReferences.IsEmpty || IsOrHas(type, "System.Collections.IEnumerable")) return null;

        var constructors = type.InstanceConstructors.Where(c => c.DeclaredAccessibility == Accessibility.Public).ToList();
        if (type.InstanceConstructors.Any(c => HasAttribute(c, Json + ".Serialization.JsonConstructorAttribute"))) return null;
        if (constructors.Count == 0) return "it has no public constructor; mark one with [JsonConstructor]";
        return constructors.Count == 1 || constructors.Any(c => c.Parameters.IsEmpty)
            ? null
            : "it has several public constructors; mark one with [JsonConstructor]";
    }

    private static bool HasConverter(INamedTypeSymbol type) =>
        HasAttribute(type, Json + ".Serialization.JsonConverterAttribute") ||
        HasAttribute(type, Json + ".Serialization.JsonDerivedTypeAttribute");

    private static bool HasAttribute(ISymbol symbol, string name) =>
        symbol.GetAttributes().Any(a => a.AttributeClass is { } c && (Is(c, name) || (c.BaseType is { } b && Is(b, name))));

    private static bool Inherits(INamedTypeSymbol type, string name)
    {
        for (var t = type; t is not null; t = t.BaseType)
            if (Is(t, name)) return true;

        return false;
    }

    private static bool IsOrHas(INamedTypeSymbol type, string name) => Is(type, name) || type.AllInterfaces.Any(i => Is(i, name));

    private static bool Is(INamedTypeSymbol type, string name) => type.ToDisplayString() == name;

    private static string Definition(INamedTypeSymbol type) => type.OriginalDefinition.ToDisplayString();
}
