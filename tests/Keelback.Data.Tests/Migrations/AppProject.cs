using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace Keelback.Data.Tests;

/// <summary>The folder of an app's project, whose migrations are compiled as its next build would.</summary>
internal sealed class AppProject : IDisposable
{
    private static readonly MetadataReference[] s_references = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keelback-migrations-");

    public AppProject() => File.WriteAllText(
        Path.Combine(_folder.FullName, "Shop.csproj"),
        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><AssemblyName>ShopMigrations</AssemblyName></PropertyGroup></Project>");

    public ProjectFile Project => ProjectFile.Find(null, _folder.FullName, "ShopMigrations");

    /// <summary>What EF logged about commands that the database refused.</summary>
    public List<string> Refused { get; } = [];

    /// <summary>A context over the migrations that are in the folder now.</summary>
    public Archive Open(NpgsqlDataSource source, bool composers)
    {
        var options = new DbContextOptionsBuilder<Archive>()
            .UseNpgsql(source, npgsql => npgsql.MigrationsAssembly(Compile()))
            .UseKeelback()
            .LogTo(Refused.Add, [RelationalEventId.CommandError]);
        options.ReplaceService<IModelCacheKeyFactory, Archive.ModelKey>();
        options.EnableServiceProviderCaching(false);
        return new(options.Options, composers);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private Assembly Compile()
    {
        var sources = _folder.EnumerateFiles("*.cs", SearchOption.AllDirectories)
            .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file.FullName), path: file.FullName));
        using var image = new MemoryStream();
        var compiled = CSharpCompilation.Create("ShopMigrations", sources, s_references, new(OutputKind.DynamicallyLinkedLibrary)).Emit(image);
        Assert.Empty(compiled.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error));

        image.Position = 0;
        return new AssemblyLoadContext("ShopMigrations").LoadFromStream(image);
    }
}
