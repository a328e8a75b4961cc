using System.Composition;
using Keelback.Jobs.Generator;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Keelback.Jobs.CodeFixes;

/// <summary>KBJ011: enqueues the job by the context or the client that is in reach.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class EnqueueFix() : CodeFix<ExpressionSyntax>(JobDiagnostics.Discarded)
{
    private protected override (string Title, SyntaxNode Node)? Fix(ExpressionSyntax node, Diagnostic diagnostic, SemanticModel model)
    {
        if (InReach("Microsoft.EntityFrameworkCore.DbContext") is { } db) return Replace($"{db}.Enqueue(() => {node.WithoutTrivia()})");
        if (IsAsync(node) && InReach("Keelback.Jobs.JobClient") is { } jobs) return Replace($"await {jobs}.EnqueueAsync({node.WithoutTrivia()})");

        return null;

        string? InReach(string type) =>
            model.LookupSymbols(node.SpanStart).FirstOrDefault(symbol => Inherits(TypeOf(symbol), type))?.Name;

        (string, SyntaxNode) Replace(string code) =>
            ("Enqueue it: " + code, SyntaxFactory.ParseExpression(code).WithTriviaFrom(node));
    }

    private static ITypeSymbol? TypeOf(ISymbol symbol) => symbol switch
    {
        ILocalSymbol local => local.Type,
        IParameterSymbol parameter => parameter.Type,
        IFieldSymbol field => field.Type,
        IPropertySymbol property => property.Type,
        _ => null,
    };

    private static bool Inherits(ITypeSymbol? type, string name)
    {
        for (var t = type; t is not null; t = t.BaseType)
            if (t.ToDisplayString() == name) return true;

        return false;
    }

    private static bool IsAsync(SyntaxNode node) => node.Ancestors()
        .Select(ancestor => ancestor switch
        {
            AnonymousFunctionExpressionSyntax lambda => (bool?)lambda.Modifiers.Any(SyntaxKind.AsyncKeyword),
            LocalFunctionStatementSyntax local => local.Modifiers.Any(SyntaxKind.AsyncKeyword),
            MethodDeclarationSyntax method => method.Modifiers.Any(SyntaxKind.AsyncKeyword),
            GlobalStatementSyntax => true,
            _ => null,
        })
        .FirstOrDefault(isAsync => isAsync is not null) ?? false;
}
