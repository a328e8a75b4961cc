using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Keelback.Jobs.Generator;

/// <summary>What can be asked of a method with [Job].</summary>
internal static class JobSymbols
{
    public const string Attribute = "Keelback.Jobs.JobAttribute";

    /// <summary>What an attribute derives from that goes with the job's kind.</summary>
    public const string Metadata = "Keelback.Jobs.JobMetadataAttribute";

    public const string Schedule = "Keelback.Jobs.ScheduleAttribute";

    public const string RetryRule = "Keelback.Jobs.RetryRuleAttribute";

    /// <summary>As one reads it in a message: <c>Receipts.Send</c>, which is also the kind when the attribute gives none.</summary>
    private static readonly SymbolDisplayFormat s_withoutNamespace = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypes);

    /// <summary>Whether the type is the other, or derives from it.</summary>
    public static bool Is(ITypeSymbol? type, INamedTypeSymbol other) => SelfAndBases(type).Any(t => SymbolEqualityComparer.Default.Equals(t, other));

    /// <summary>Whether an attribute of the type goes with a job's kind.</summary>
    public static bool IsMetadata(INamedTypeSymbol? attribute) => SelfAndBases(attribute).Any(t => t.ToDisplayString() == Metadata);

    /// <summary>An attribute as one writes it: <c>Schedule</c>.</summary>
    public static string WordOf(INamedTypeSymbol attribute) =>
        attribute.Name.EndsWith("Attribute", StringComparison.Ordinal) ? attribute.Name.Substring(0, attribute.Name.Length - "Attribute".Length) : attribute.Name;

    public static IEnumerable<ITypeSymbol> SelfAndBases(ITypeSymbol? type)
    {
        for (var t = type; t is not null; t = t.BaseType)
            yield return t;
    }

    public static AttributeData? JobAttributeOf(IMethodSymbol method) =>
        method.GetAttributes().FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == Attribute);

    public static string NameOf(INamedTypeSymbol type) => type.ToDisplayString(s_withoutNamespace);

    public static string NameOf(IMethodSymbol method) => NameOf(method.ContainingType) + "." + method.Name;

    public static string KindOf(IMethodSymbol method, AttributeData job) =>
        job.ConstructorArguments.FirstOrDefault().Value as string ?? NameOf(method);

    public static bool IsToken(ITypeSymbol type) => type.ToDisplayString() == "System.Threading.CancellationToken";

    /// <summary>All but the token.</summary>
    public static IEnumerable<IParameterSymbol> PayloadOf(IMethodSymbol method) =>
        method.Parameters.Take(method.Parameters.Length - 1);

    /// <summary>The type, then those around it.</summary>
    public static IEnumerable<INamedTypeSymbol> SelfAndOuter(INamedTypeSymbol type)
    {
        for (var t = type; t is not null; t = t.ContainingType)
            yield return t;
    }

    public static bool IsPartial(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences.Any(reference =>
            reference.GetSyntax() is TypeDeclarationSyntax syntax && syntax.Modifiers.Any(SyntaxKind.PartialKeyword));

    /// <summary>T of Task&lt;T&gt;.</summary>
    public static ITypeSymbol? ResultOf(IMethodSymbol method) =>
        method.ReturnType is INamedTypeSymbol { IsGenericType: true } type &&
        type.OriginalDefinition.ToDisplayString() == "System.Threading.Tasks.Task<TResult>"
            ? type.TypeArguments[0]
            : null;

    public static bool ReturnsTask(IMethodSymbol method) =>
        ResultOf(method) is not null || method.ReturnType.ToDisplayString() == "System.Threading.Tasks.Task";
}
