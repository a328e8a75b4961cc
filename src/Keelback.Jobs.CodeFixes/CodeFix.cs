using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace Keelback.Jobs.CodeFixes;

/// <summary>A fix of one diagnostic that replaces one node by another.</summary>
public abstract class CodeFix<TNode> : CodeFixProvider
    where TNode : SyntaxNode
{
    private protected CodeFix(DiagnosticDescriptor rule) => FixableDiagnosticIds = ImmutableArray.Create(rule.Id);

    /// <inheritdoc/>
    public sealed override ImmutableArray<string> FixableDiagnosticIds { get; }

    /// <inheritdoc/>
    public sealed override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public sealed override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        var model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var diagnostic in context.Diagnostics)
        {
            var node = root!.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true).FirstAncestorOrSelf<TNode>();
            if (node is null || Fix(node, diagnostic, model!) is not var (title, instead)) continue;

            context.RegisterCodeFix(
                CodeAction.Create(
                    title,
                    _ => Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(node, instead))),
                    equivalenceKey: diagnostic.Id + title),
                diagnostic);
        }
    }

    /// <summary>What the fix is called and what it puts in the node's place; null: there is none here.</summary>
    private protected abstract (string Title, SyntaxNode Node)? Fix(TNode node, Diagnostic diagnostic, SemanticModel model);
}
