using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Keelback.Jobs.Generator;

/// <summary>Silences what a job cannot help: its token may go unused, and a job without services is still called on an object.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class JobSuppressor : DiagnosticSuppressor
{
    private static readonly SuppressionDescriptor s_unusedToken = new("KBJS01", "IDE0060", "Every job takes a token.");

    private static readonly SuppressionDescriptor s_couldBeStatic = new("KBJS02", "CA1822", "The call is the static; the method is the job.");

    /// <inheritdoc/>
    public override ImmutableArray<SuppressionDescriptor> SupportedSuppressions { get; } =
        ImmutableArray.Create(s_unusedToken, s_couldBeStatic);

    /// <inheritdoc/>
    public override void ReportSuppressions(SuppressionAnalysisContext context)
    {
        foreach (var diagnostic in context.ReportedDiagnostics)
        {
            if (diagnostic.Location.SourceTree is not { } tree) continue;

            var node = tree.GetRoot(context.CancellationToken).FindNode(diagnostic.Location.SourceSpan);
            var symbol = context.GetSemanticModel(tree).GetDeclaredSymbol(node, context.CancellationToken);
            var method = symbol as IMethodSymbol ?? symbol?.ContainingSymbol as IMethodSymbol;
            if (method is null || JobSymbols.JobAttributeOf(method) is null) continue;
            if (symbol is IParameterSymbol parameter && !JobSymbols.IsToken(parameter.Type)) continue;

            context.ReportSuppression(Suppression.Create(
                symbol is IParameterSymbol ? s_unusedToken : s_couldBeStatic, diagnostic));
        }
    }
}
