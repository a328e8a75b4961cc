using Microsoft.CodeAnalysis;

namespace Keelback.Jobs.Generator;

/// <summary>What of an app's own class or struct System.Text.Json writes and reads, and what it loses without a word.</summary>
internal static class PayloadMembers
{
    private const string Serialization = "System.Text.Json.Serialization.";

    /// <summary>None for types of other assemblies, which the compiler shows without their fields; a property that is computed holds nothing of its own.</summary>
    public static IEnumerable<PayloadMember> Of(INamedTypeSymbol type)
    {
        if (type.DeclaringSyntaxReferences.IsEmpty || type.TypeKind is not (TypeKind.Class or TypeKind.Struct)) yield break;
        if (type.AllInterfaces.Any(i => i.ToDisplayString() == "System.Collections.IEnumerable")) yield break;

        var made = ConstructorOf(type)?.Parameters.Select(p => p.Name).ToList() ?? [];
        for (var t = type; t is { DeclaringSyntaxReferences.IsEmpty: false }; t = t.BaseType)
        {
            foreach (var member in t.GetMembers().Where(m => !m.IsStatic && !m.IsImplicitlyDeclared && !Has(m, "JsonIgnore") && !Has(m, "JsonConverter")))
            {
                var included = Has(member, "JsonInclude");
                var byConstructor = made.Contains(member.Name, StringComparer.OrdinalIgnoreCase);
                if (!included && member.DeclaredAccessibility != Accessibility.Public) continue;

                if (member is IPropertySymbol { IsIndexer: false, GetMethod: not null } property)
                {
                    var written = included || property.GetMethod.DeclaredAccessibility == Accessibility.Public;
                    var set = property.SetMethod is { } setter && (included || setter.DeclaredAccessibility == Accessibility.Public);
                    var populated = Has(property, "JsonObjectCreationHandling") || Has(type, "JsonObjectCreationHandling");
                    if (written && (set || byConstructor || populated || IsStored(property)))
                        yield return new($"property '{property.Name}'", property.Type, set || byConstructor || populated, "give it an init, or mark it [JsonIgnore]");
                }
                else if (member is IFieldSymbol { AssociatedSymbol: null } field)
                {
                    yield return new($"field '{field.Name}'", field.Type, included, "make it a property, or mark it [JsonInclude] or [JsonIgnore]");
                }
            }
        }
    }

    // As System.Text.Json chooses: the marked one; for a class without a public one of no parameters, the only public one.
    private static IMethodSymbol? ConstructorOf(INamedTypeSymbol type)
    {
        if (type.InstanceConstructors.FirstOrDefault(c => Has(c, "JsonConstructor")) is { } marked) return marked;

        var open = type.InstanceConstructors.Where(c => c.DeclaredAccessibility == Accessibility.Public).ToList();
        return type.TypeKind == TypeKind.Class && open.Count == 1 ? open[0] : null;
    }

    private static bool IsStored(IPropertySymbol property) =>
        property.ContainingType.GetMembers().OfType<IFieldSymbol>().Any(f => SymbolEqualityComparer.Default.Equals(f.AssociatedSymbol, property));

    private static bool Has(ISymbol symbol, string attribute) =>
        symbol.GetAttributes().Any(a => a.AttributeClass is { } c
            && (Is(c, attribute) || (c.BaseType is { } parent && Is(parent, attribute))));

    private static bool Is(INamedTypeSymbol type, string attribute) => type.ToDisplayString() == Serialization + attribute + "Attribute";
}

/// <summary>A member that is written; and whether what is written is also read.</summary>
internal sealed record PayloadMember(string Name, ITypeSymbol Type, bool IsReadBack, string WayOut);
