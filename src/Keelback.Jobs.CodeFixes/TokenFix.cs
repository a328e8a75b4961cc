using System.Composition;
using Keelback.Jobs.Generator;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;
using Microsoft.CodeAnalysis.Simplification;

namespace Keelback.Jobs.CodeFixes;

/// <summary>KBJ002: adds the token as the last parameter, or moves it there.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class TokenFix() : CodeFix<MethodDeclarationSyntax>(JobDiagnostics.NoToken)
{
    private protected override (string Title, SyntaxNode Node)? Fix(MethodDeclarationSyntax node, Diagnostic diagnostic, SemanticModel model)
    {
        var parameters = node.ParameterList.Parameters;
        var present = parameters.FirstOrDefault(p => p.Type is not null && model.GetTypeInfo(p.Type).Type is { } type && JobSymbols.IsToken(type));

        var token = present ?? SyntaxFactory.Parameter(SyntaxFactory.Identifier("ct"))
            .WithType(SyntaxFactory.ParseTypeName("global::System.Threading.CancellationToken")
                .WithTrailingTrivia(SyntaxFactory.Space)
                .WithAdditionalAnnotations(Simplifier.Annotation));

        if (token.Default is null && parameters.Any(p => p.Default is not null))
        {
            token = token.WithDefault(SyntaxFactory.EqualsValueClause(
                SyntaxFactory.LiteralExpression(SyntaxKind.DefaultLiteralExpression)));
        }

        var others = present is null ? parameters : parameters.Remove(present);
        var list = node.ParameterList.WithParameters(others.Add(token)).WithAdditionalAnnotations(Formatter.Annotation);
        return (present is null ? "Add a CancellationToken" : "Move the CancellationToken last", node.WithParameterList(list));
    }
}
