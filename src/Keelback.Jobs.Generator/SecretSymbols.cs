using Microsoft.CodeAnalysis;

namespace Keelback.Jobs.Generator;

/// <summary>What is [Secret]: a parameter, a member, or what holds such a member somewhere.</summary>
internal static class SecretSymbols
{
    private const string Attribute = "Keelback.Jobs.SecretAttribute";

    public static bool IsAttribute(INamedTypeSymbol? type) => type?.ToDisplayString() == Attribute;

    public static bool IsSecret(ISymbol symbol) => IsMarked(symbol) || (symbol is IPropertySymbol property && Parameters(property).Any(IsMarked));

    /// <summary>Whether a value of the type may hold a secret, as far as the type says.</summary>
    public static bool MayBeIn(ITypeSymbol? type) => MayBeIn(type, new(SymbolEqualityComparer.Default));

    // Seen: a type that holds itself is looked into once.
    private static bool MayBeIn(ITypeSymbol? type, HashSet<ITypeSymbol> seen) => type switch
    {
        IArrayTypeSymbol array => MayBeIn(array.ElementType, seen),
        INamedTypeSymbol named when seen.Add(named) =>
            named.TypeArguments.Any(argument => MayBeIn(argument, seen)) || Derived(named).Any(derived => MayBeIn(derived, seen)) || Members(named).Any(m => IsSecret(m.Symbol) || MayBeIn(m.Type, seen)),
        _ => false,
    };

    private static IEnumerable<(ISymbol Symbol, ITypeSymbol Type)> Members(INamedTypeSymbol type)
    {
        if (type.SpecialType != SpecialType.None || type.ContainingNamespace?.ToDisplayString().StartsWith("System", StringComparison.Ordinal) == true) yield break;

        for (var t = type; t is not null; t = t.BaseType)
            foreach (var member in t.GetMembers().Where(m => !m.IsStatic))
                if (member is IPropertySymbol property) yield return (property, property.Type);
                else if (member is IFieldSymbol { AssociatedSymbol: null } field) yield return (field, field.Type);
    }

    private static IEnumerable<ITypeSymbol> Derived(INamedTypeSymbol type) =>
        from attribute in type.GetAttributes()
        where attribute.AttributeClass?.Name == "JsonDerivedTypeAttribute"
        select attribute.ConstructorArguments.FirstOrDefault().Value as ITypeSymbol into derived
        where derived is not null
        select derived;

    // Of a record's constructor: what is marked there is meant for the property.
    private static IEnumerable<IParameterSymbol> Parameters(IPropertySymbol property) =>
        property.ContainingType.InstanceConstructors.SelectMany(c => c.Parameters).Where(p => string.Equals(p.Name, property.Name, StringComparison.OrdinalIgnoreCase));

    private static bool IsMarked(ISymbol symbol) => symbol.GetAttributes().Any(a => IsAttribute(a.AttributeClass));
}
