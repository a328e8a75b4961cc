using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Keelback.Jobs.Generator;

/// <summary>Adds to each class with [Job] methods the statics that describe a call, and to the assembly the registry of its kinds.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class JobGenerator : IIncrementalGenerator
{
    /// <summary>Names of the pipeline's steps, by which tests see what was recomputed.</summary>
    internal const string MethodStep = "KeelbackJobMethod", ClassStep = "KeelbackJobClass", RegistryStep = "KeelbackJobRegistry";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var methods = context.SyntaxProvider
            .ForAttributeWithMetadataName(JobSymbols.Attribute, static (node, _) => node is MethodDeclarationSyntax, JobReader.Read)
            .Where(static job => job is not null)
            .Select(static (job, _) => job!)
            .WithTrackingName(MethodStep);

        var classes = methods.Collect()
            .SelectMany(static (jobs, _) => jobs
                .GroupBy(job => job.Owner)
                .Select(g => new JobClass(g.Key.Namespace, g.Key.Name, g.Key.Declarations, new(g))))
            .WithTrackingName(ClassStep);

        var registry = classes.Select(static (c, _) => new JobRegistry.Entry(c.FullName, new(ClassWriter.KindNames(c))))
            .Collect()
            .Select(static (entries, _) => new EquatableArray<JobRegistry.Entry>(entries))
            .Combine(context.CompilationProvider.Select(static (compilation, _) => compilation.AssemblyName))
            .Select(static (pair, _) => new JobRegistry(pair.Right ?? "", pair.Left))
            .WithTrackingName(RegistryStep);

        context.RegisterSourceOutput(classes, static (output, c) => output.AddSource(c.HintName, ClassWriter.Write(c)));
        context.RegisterSourceOutput(registry, static (output, r) =>
        {
            if (r.Entries.Count > 0) output.AddSource("JobRegistry.g.cs", r.Write());
        });
    }
}
