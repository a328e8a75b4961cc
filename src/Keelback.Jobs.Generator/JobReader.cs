using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Keelback.Jobs.Generator;

/// <summary>Reads a method's symbols into a <see cref="JobModel"/>.</summary>
internal static class JobReader
{
    private static readonly SymbolDisplayFormat s_bare = SymbolDisplayFormat.FullyQualifiedFormat;

    private static readonly SymbolDisplayFormat s_full = s_bare
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    private static readonly SymbolDisplayFormat s_space = s_bare.WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted);

    private static readonly SymbolDisplayFormat s_nested = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypes,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers);

    /// <summary>Null when the analyzer reports the method.</summary>
    public static JobModel? Read(GeneratorAttributeSyntaxContext context, CancellationToken ct)
    {
        var method = (IMethodSymbol)context.TargetSymbol;
        ct.ThrowIfCancellationRequested();
        if (JobRules.Shape(method).Any()) return null;

        var job = context.Attributes[0];
        return new(
            Owner(method.ContainingType),
            Escape(method.Name),
            JobSymbols.KindOf(method, job),
            SyntaxFacts.GetText(method.DeclaredAccessibility),
            method.IsStatic,
            Attribute(job),
            new(method.GetAttributes().Concat(method.ContainingType.GetAttributes()).Where(a => JobSymbols.IsMetadata(a.AttributeClass)).Select(a => $"{a.AttributeClass!.ToDisplayString(s_bare)}{Call(a)}")),
            JobSymbols.ResultOf(method)?.ToDisplayString(s_full),
            method.Parameters.Select(p => p.Type).Append(JobSymbols.ResultOf(method)).Any(SecretSymbols.MayBeIn),
            IsDocumented(context.TargetNode) ? method.GetDocumentationCommentId() : null,
            new(JobSymbols.PayloadOf(method).Select(Parameter)));
    }

    private static JobOwner Owner(INamedTypeSymbol type) => new(
        type.ContainingNamespace is { IsGlobalNamespace: false } space ? space.ToDisplayString(s_space) : null,
        type.ToDisplayString(s_nested),
        new(JobSymbols.SelfAndOuter(type).Reverse().Select(t => $"partial {Keyword(t)} {Escape(t.Name)}")));

    private static string Keyword(INamedTypeSymbol type) => type switch
    {
        { TypeKind: TypeKind.Interface } => "interface",
        { TypeKind: TypeKind.Struct, IsRecord: true } => "record struct",
        { TypeKind: TypeKind.Struct } => "struct",
        { IsRecord: true } => "record",
        _ => "class",
    };

    private static string Attribute(AttributeData job) => Call(job);

    /// <summary>What rebuilds an attribute, after its type: <c>("mail") { Slots = 3 }</c>.</summary>
    private static string Call(AttributeData attribute)
    {
        var arguments = $"({string.Join(", ", attribute.ConstructorArguments.Select(Constant))})";
        var options = attribute.NamedArguments.Select(option => $"{option.Key} = {Constant(option.Value)}").ToList();
        return options.Count == 0 ? arguments : $"{arguments} {{ {string.Join(", ", options)} }}";
    }

    private static string Constant(TypedConstant constant) => constant switch
    {
        { IsNull: true } => "null",
        { Kind: TypedConstantKind.Array } => $"new {constant.Type!.ToDisplayString(s_bare)} {{ {string.Join(", ", constant.Values.Select(Constant))} }}",
        { Kind: TypedConstantKind.Type } => $"typeof({((ITypeSymbol)constant.Value!).ToDisplayString(s_bare)})",
        { Kind: TypedConstantKind.Enum } => $"({constant.Type!.ToDisplayString(s_bare)})({Literal(constant.Value)})",
        _ => Literal(constant.Value),
    };

    private static JobParameter Parameter(IParameterSymbol parameter)
    {
        var type = parameter.Type;
        return new(
            Escape(parameter.Name),
            CamelCase(parameter.Name),
            type.ToDisplayString(s_full),
            type.ToDisplayString(s_bare),
            type is { IsReferenceType: true, NullableAnnotation: NullableAnnotation.Annotated },
            type.TypeKind == TypeKind.Interface,
            parameter.HasExplicitDefaultValue ? Default(type, parameter.ExplicitDefaultValue) : null,
            PayloadType.ItemOf(type)?.ToDisplayString(s_full),
            SecretSymbols.IsSecret(parameter));
    }

    private static string Default(ITypeSymbol type, object? value)
    {
        var underlying = type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable
            ? nullable.TypeArguments[0]
            : type;

        return value switch
        {
            null when !type.IsReferenceType => "default",
            null => type.NullableAnnotation == NullableAnnotation.Annotated ? "null" : "null!",
            _ when underlying.TypeKind == TypeKind.Enum => $"({underlying.ToDisplayString(s_bare)})({Literal(value)})",
            _ => Literal(value),
        };
    }

    private static string Literal(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        string s => SymbolDisplay.FormatLiteral(s, true),
        char c => SymbolDisplay.FormatLiteral(c, true),
        double.NaN => "double.NaN",
        double.PositiveInfinity => "double.PositiveInfinity",
        double.NegativeInfinity => "double.NegativeInfinity",
        double d => d.ToString("R", CultureInfo.InvariantCulture) + "d",
        float f when float.IsNaN(f) || float.IsInfinity(f) => "(float)" + Literal((double)f),
        float f => f.ToString("R", CultureInfo.InvariantCulture) + "f",
        decimal m => m.ToString(CultureInfo.InvariantCulture) + "m",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException(value.GetType().Name),
    };

    /// <summary>As JsonNamingPolicy.CamelCase does it: <c>URLPath</c> becomes <c>urlPath</c>.</summary>
    private static string CamelCase(string name)
    {
        var letters = name.ToCharArray();
        for (var i = 0; i < letters.Length && char.IsUpper(letters[i]); i++)
        {
            if (i > 0 && i + 1 < letters.Length && !char.IsUpper(letters[i + 1])) break;
            letters[i] = char.ToLowerInvariant(letters[i]);
        }

        return new(letters);
    }

    private static string Escape(string name) => SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None ? name : "@" + name;

    private static bool IsDocumented(SyntaxNode method) =>
        method.GetLeadingTrivia().Any(trivia =>
            trivia.IsKind(SyntaxKind.SingleLineDocumentationCommentTrivia) ||
            trivia.IsKind(SyntaxKind.MultiLineDocumentationCommentTrivia) ||
            trivia.ToString().StartsWith("///", StringComparison.Ordinal));
}
