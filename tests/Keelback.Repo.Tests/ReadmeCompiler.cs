using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Keelback.Repo.Tests;

/// <summary>Compiles an example as a web app with implicit usings would, the job generator included.</summary>
internal static class ReadmeCompiler
{
    private const string ImplicitUsings =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using System.ComponentModel.DataAnnotations;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.EntityFrameworkCore;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Keelback;
        global using Keelback.Data;
        global using Keelback.Jobs;
        global using Keelback.Web;
        global using Keelback.Resources;
        global using Keelback.Testing;
        global using Xunit;
        """;

    public static ImmutableArray<Diagnostic> Compile(string example)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        var tree = CSharpSyntaxTree.ParseText(example, options);
        var isProgram = tree.GetCompilationUnitRoot().Members.Any(SyntaxKind.GlobalStatement);
        var compilation = CSharpCompilation.Create("Readme",
            [CSharpSyntaxTree.ParseText(ImplicitUsings, options), tree],
            References(),
            new(isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

        CSharpGeneratorDriver.Create(Generators().Select(GeneratorExtensions.AsSourceGenerator), parseOptions: options)
            .RunGeneratorsAndUpdateCompilation(compilation, out var generated, out var fromGenerators);
        return [.. generated.GetDiagnostics(), .. fromGenerators];
    }

    private static IEnumerable<MetadataReference> References() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));

    private static IEnumerable<IIncrementalGenerator> Generators()
    {
        var file = Repo.PathTo("artifacts", "bin", "Keelback.Jobs.Generator", "debug", "Keelback.Jobs.Generator.dll");
        return new AnalyzerFileReference(file, new Loader()).GetGenerators(LanguageNames.CSharp)
            .Select(generator => generator.GetGeneratorType())
            .Select(type => (IIncrementalGenerator)Activator.CreateInstance(type)!);
    }

    private sealed class Loader : IAnalyzerAssemblyLoader
    {
        public void AddDependencyLocation(string fullPath)
        {
        }

        public System.Reflection.Assembly LoadFromPath(string fullPath) => System.Reflection.Assembly.LoadFrom(fullPath);
    }
}
