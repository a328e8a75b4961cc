using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Keelback.Jobs.Generator;

/// <summary>Reports each method with [Job] that breaks a rule, and kinds that an assembly declares twice.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class JobMethodAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(
        JobDiagnostics.NotPartial, JobDiagnostics.NoToken, JobDiagnostics.WrongReturnType, JobDiagnostics.UnsupportedType,
        JobDiagnostics.Generic, JobDiagnostics.Unreachable, JobDiagnostics.DuplicateKind, JobDiagnostics.Collision,
        JobDiagnostics.OptionOutOfRange, JobDiagnostics.ScheduledParameter, JobDiagnostics.BadKey, JobDiagnostics.SecretInKey);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            var kinds = new ConcurrentBag<(string Kind, IMethodSymbol Method)>();
            start.RegisterSymbolAction(symbol =>
            {
                var method = (IMethodSymbol)symbol.Symbol;
                if (JobSymbols.JobAttributeOf(method) is not { } job) return;

                kinds.Add((JobSymbols.KindOf(method, job), method));
                foreach (var diagnostic in JobRules.Check(method, job)) symbol.ReportDiagnostic(diagnostic);
            }, SymbolKind.Method);

            start.RegisterCompilationEndAction(end => ReportDuplicates(end, kinds));
        });
    }

    private static void ReportDuplicates(CompilationAnalysisContext end, IEnumerable<(string Kind, IMethodSymbol Method)> kinds)
    {
        foreach (var kind in kinds.GroupBy(k => k.Kind))
        {
            var methods = kind.Select(k => k.Method).OrderBy(m => m.ToDisplayString(), StringComparer.Ordinal).ToList();
            foreach (var other in methods.Skip(1))
            {
                end.ReportDiagnostic(Diagnostic.Create(JobDiagnostics.DuplicateKind, other.Locations[0],
                    kind.Key, methods[0].ToDisplayString(), other.ToDisplayString()));
            }
        }
    }
}
