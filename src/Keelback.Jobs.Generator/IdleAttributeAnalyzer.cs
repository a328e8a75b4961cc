using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Keelback.Jobs.Generator;

/// <summary>Reports an attribute of jobs that stands where no job is, such as a [Schedule] whose method lacks [Job]: nothing would ever read it.</summary>
/// <remarks>By syntax, since local functions and lambdas are no declared symbols of a type.</remarks>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class IdleAttributeAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(JobDiagnostics.IdleAttribute);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxNodeAction(Report, SyntaxKind.Attribute);
    }

    private static void Report(SyntaxNodeAnalysisContext context)
    {
        var attribute = (AttributeSyntax)context.Node;
        if (attribute.Parent?.Parent is not { } target || context.SemanticModel.GetTypeInfo(attribute).Type is not INamedTypeSymbol type) return;

        var why = JobSymbols.IsMetadata(type) ? WhyIdle(context, target)
            : SecretSymbols.IsAttribute(type) && target is ParameterSyntax { Parent.Parent: { } owner } ? WhyIdleIn(context, owner)
            : type.ToDisplayString() == JobSymbols.Attribute && target is LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax ? WhyIdle(context, target)
            : null;

        if (why is not null) context.ReportDiagnostic(Diagnostic.Create(JobDiagnostics.IdleAttribute, attribute.GetLocation(), JobSymbols.WordOf(type), why));
    }

    // Of a constructor or a record the parameter stands for a member; what else has parameters is no place for a secret.
    private static string? WhyIdleIn(SyntaxNodeAnalysisContext context, SyntaxNode owner) =>
        owner is ConstructorDeclarationSyntax or TypeDeclarationSyntax ? null : WhyIdle(context, owner);

    private static string? WhyIdle(SyntaxNodeAnalysisContext context, SyntaxNode target) => target switch
    {
        MethodDeclarationSyntax => context.SemanticModel.GetDeclaredSymbol(target, context.CancellationToken) is IMethodSymbol method && !IsJob(method)
            ? $"'{JobSymbols.NameOf(method)}' has no [Job]"
            : null,
        TypeDeclarationSyntax => context.SemanticModel.GetDeclaredSymbol(target, context.CancellationToken) is INamedTypeSymbol type && !type.GetMembers().OfType<IMethodSymbol>().Any(IsJob)
            ? $"no method of '{JobSymbols.NameOf(type)}' has a [Job]"
            : null,
        LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax => "only a method of a class can be a job",
        _ => "it stands on no job",
    };

    private static bool IsJob(IMethodSymbol method) => JobSymbols.JobAttributeOf(method) is not null;
}
