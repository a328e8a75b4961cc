using System.Composition;
using Keelback.Jobs.Generator;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Keelback.Jobs.CodeFixes;

/// <summary>KBJ010: names the type, so that a value is made and not an empty Arg.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class EmptyArgFix() : CodeFix<ExpressionSyntax>(JobDiagnostics.EmptyArg)
{
    private protected override (string Title, SyntaxNode Node)? Fix(ExpressionSyntax node, Diagnostic diagnostic, SemanticModel model)
    {
        if (!diagnostic.Properties.TryGetValue(EmptyArgAnalyzer.Instead, out var instead)) return null;

        var value = SyntaxFactory.ParseExpression(instead!);
        if (value is ObjectCreationExpressionSyntax made && node is ImplicitObjectCreationExpressionSyntax given)
            value = made.WithArgumentList(given.ArgumentList).WithInitializer(given.Initializer);

        return ($"Write '{instead}'", value.WithTriviaFrom(node));
    }
}
