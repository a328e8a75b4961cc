using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Keelback.Jobs.Generator;

/// <summary>Reports <c>new()</c> and <c>default</c> where an Arg is expected: C# makes an empty Arg of them, not an argument.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class EmptyArgAnalyzer : DiagnosticAnalyzer
{
    /// <summary>The property of the diagnostic that holds what to write.</summary>
    internal const string Instead = "instead";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(JobDiagnostics.EmptyArg);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(Report, OperationKind.ObjectCreation, OperationKind.DefaultValue);
    }

    private static void Report(OperationAnalysisContext context)
    {
        // An optional argument that was left out is a default value too, with the whole call as its syntax.
        if (context.Operation.IsImplicit) return;
        if (context.Operation.Type is not INamedTypeSymbol { IsValueType: true, TypeArguments.Length: 1 } type) return;
        if (type.OriginalDefinition.ToDisplayString() is not ("Keelback.Jobs.Arg<T>" or "Keelback.Jobs.ListArg<T>")) return;

        var item = type.TypeArguments[0].ToMinimalDisplayString(context.Operation.SemanticModel!, context.Operation.Syntax.SpanStart);
        var isList = type.Name == "ListArg";
        var instead = context.Operation is IObjectCreationOperation
            ? isList ? "[]" : $"new {item}()"
            : isList ? "null" : $"default({item})";

        context.ReportDiagnostic(Diagnostic.Create(JobDiagnostics.EmptyArg, context.Operation.Syntax.GetLocation(),
            ImmutableDictionary<string, string?>.Empty.Add(Instead, instead),
            context.Operation.Syntax.ToString(), $"{type.Name}<{item}>", instead));
    }
}
