using System.Composition;
using Keelback.Jobs.Generator;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Keelback.Jobs.CodeFixes;

/// <summary>KBJ001: makes the class partial.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp), Shared]
public sealed class PartialFix() : CodeFix<TypeDeclarationSyntax>(JobDiagnostics.NotPartial)
{
    private protected override (string Title, SyntaxNode Node)? Fix(TypeDeclarationSyntax node, Diagnostic diagnostic, SemanticModel model)
    {
        var partial = SyntaxFactory.Token(SyntaxKind.PartialKeyword).WithTrailingTrivia(SyntaxFactory.Space);
        if (node.Modifiers.Count > 0) return ("Make the class partial", node.AddModifiers(partial));

        // The keyword carries the comments above it; they stay above.
        var moved = node.WithKeyword(node.Keyword.WithLeadingTrivia());
        return ("Make the class partial", moved.AddModifiers(partial.WithLeadingTrivia(node.Keyword.LeadingTrivia)));
    }
}
