using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Keelback.Repo.Tests;

/// <summary>Every C# example of the guide to limits compiles against the packages as they are.</summary>
public partial class LimitGuideTests
{
    private const string Guide = "docs/guides/limits/README.md";

    public static TheoryData<int> Examples => [.. Enumerable.Range(0, Example().Count(Repo.Read(Guide)))];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Each_example_compiles(int number)
    {
        var example = Example().Matches(Repo.Read(Guide))[number].Groups[1].Value;

        var mistakes = ReadmeCompiler.Compile(example)
            .Where(d => d.Severity == DiagnosticSeverity.Error)
            .Select(d => $"line {d.Location.GetLineSpan().StartLinePosition.Line + 1}: {d.GetMessage(null)}");

        Assert.Equal([], mistakes);
    }

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Example();
}
