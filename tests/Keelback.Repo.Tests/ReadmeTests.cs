using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Keelback.Repo.Tests;

/// <summary>The first C# example of every README, and of the operating guide, compiles against the packages as they are.</summary>
public partial class ReadmeTests
{
    public static TheoryData<string> Readmes =>
    [
        .. Directory.EnumerateFiles(Repo.Root, "README.md")
            .Concat(Directory.EnumerateFiles(Repo.PathTo("src"), "README.md", SearchOption.AllDirectories))
            .Append(Repo.PathTo("docs", "guides", "operating", "README.md"))
            .Select(file => Path.GetRelativePath(Repo.Root, file).Replace('\\', '/')).Order(),
    ];

    [Theory]
    [MemberData(nameof(Readmes))]
    public void The_first_example_compiles(string readme)
    {
        var example = Example().Match(Repo.Read(readme));
        Assert.True(example.Success, $"{readme} has no ```csharp example.");

        var errors = ReadmeCompiler.Compile(example.Groups[1].Value)
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
            .Select(diagnostic => diagnostic.ToString());

        Assert.Empty(errors);
    }

    [GeneratedRegex("```csharp\r?\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
