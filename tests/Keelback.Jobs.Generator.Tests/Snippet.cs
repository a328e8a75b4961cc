using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Jobs.Generator.Tests;

/// <summary>A piece of C#, compiled in memory beside the real Keelback.Jobs.</summary>
internal static class Snippet
{
    public static readonly CSharpParseOptions Options = new(LanguageVersion.CSharp14);

    private const string Usings =
        """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Threading; global using System.Threading.Tasks; global using Keelback.Jobs;
        """;

    private static readonly ImmutableArray<MetadataReference> s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Append(typeof(Job).Assembly.Location).Append(typeof(DbContext).Assembly.Location).Distinct()
            .Where(file => !Path.GetFileName(file).StartsWith("Keelback.Jobs.Generator", StringComparison.Ordinal))
            .Select(file => MetadataReference.CreateFromFile(file)),
    ];

    public static CSharpCompilation Compile(string code) => CSharpCompilation.Create("Snippets",
        [CSharpSyntaxTree.ParseText(Usings, Options, "Usings.cs"), CSharpSyntaxTree.ParseText(code, Options, "Snippet.cs")],
        s_references, new(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    public static GeneratorDriver Driver() => CSharpGeneratorDriver.Create(
        [new JobGenerator().AsSourceGenerator()], parseOptions: Options,
        driverOptions: new(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>What the compiler and our analyzers say, as <c>text [id]</c>.</summary>
    public static async Task<IReadOnlyList<string>> DiagnosticsAsync(string code) =>
        [.. (await AnalyzeAsync(Compile(code))).Select(d => $"{d.GetMessage()} [{d.Id}]")];

    public static async Task<IReadOnlyList<Diagnostic>> AnalyzeAsync(Compilation compilation)
    {
        Driver().RunGeneratorsAndUpdateCompilation(compilation, out var generated, out _);
        var analyzed = generated.WithAnalyzers([new JobMethodAnalyzer(), new DiscardedJobAnalyzer(), new EmptyArgAnalyzer(), new IdleAttributeAnalyzer(), new AnsweredJobAnalyzer()]);

        return
        [
            .. from diagnostic in await analyzed.GetAllDiagnosticsAsync()
               where diagnostic.Severity >= DiagnosticSeverity.Warning
               orderby diagnostic.Location.SourceSpan.Start, diagnostic.Id
               select diagnostic,
        ];
    }
}
