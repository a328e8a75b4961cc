using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Keelback.Jobs.Generator;

/// <summary>Reports a statement, or a lambda that returns nothing, whose value is a Job: it describes a call that no one enqueues.</summary>
/// <remarks>Who means it writes <c>_ = …</c>.</remarks>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DiscardedJobAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(JobDiagnostics.Discarded);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName("Keelback.Jobs.Job") is { } job)
                start.RegisterOperationAction(operation => Report(operation, job), OperationKind.ExpressionStatement);
        });
    }

    private static void Report(OperationAnalysisContext context, INamedTypeSymbol job)
    {
        var value = ((IExpressionStatementOperation)context.Operation).Operation;
        if (value is IAssignmentOperation || !JobSymbols.Is(value.Type, job)) return;

        context.ReportDiagnostic(Diagnostic.Create(JobDiagnostics.Discarded, value.Syntax.GetLocation(), value.Syntax.ToString()));
    }
}
