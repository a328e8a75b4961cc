using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Keelback.Jobs.Generator;

/// <summary>Reports a lambda or method that returns a Job and is given as a plain Delegate, as to MapPost: its caller knows nothing of jobs, and ASP.NET answers with the description.</summary>
/// <remarks>A <c>Func&lt;…, Job&gt;</c> is taken by who enqueues what it returns. Who means a plain Delegate casts to it.</remarks>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class AnsweredJobAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(JobDiagnostics.Answered);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName("Keelback.Jobs.Job") is { } job)
                start.RegisterOperationAction(operation => Report(operation, job), OperationKind.DelegateCreation);
        });
    }

    private static void Report(OperationAnalysisContext context, INamedTypeSymbol job)
    {
        var made = (IDelegateCreationOperation)context.Operation;
        if (!made.IsImplicit || !IsPlain(made)) return;

        var method = made.Target switch
        {
            IAnonymousFunctionOperation lambda => lambda.Symbol,
            IMethodReferenceOperation reference => reference.Method,
            _ => null,
        };

        if (method is not null && Holds(method.ReturnType, job))
            context.ReportDiagnostic(Diagnostic.Create(JobDiagnostics.Answered, made.Target.Syntax.GetLocation(), method.ReturnType.ToMinimalDisplayString(made.SemanticModel!, made.Syntax.SpanStart)));
    }

    // C# makes a Func of it first, which it then converts, or shows the Delegate at once.
    private static bool IsPlain(IDelegateCreationOperation made) =>
        IsDelegate(made.Type) || (made.Parent is IConversionOperation { IsImplicit: true } conversion && IsDelegate(conversion.Type));

    private static bool IsDelegate(ITypeSymbol? type) => type is { SpecialType: SpecialType.System_Delegate or SpecialType.System_MulticastDelegate };

    /// <summary>Also within what is answered: a Task of it, a list, a Results&lt;Ok&lt;Job&gt;, …&gt;.</summary>
    private static bool Holds(ITypeSymbol type, INamedTypeSymbol job) =>
        JobSymbols.Is(type, job)
        || (type is IArrayTypeSymbol array && Holds(array.ElementType, job))
        || (type is INamedTypeSymbol named && named.TypeArguments.Any(argument => Holds(argument, job)));
}
