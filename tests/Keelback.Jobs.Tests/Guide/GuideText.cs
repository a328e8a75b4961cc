using System.Text.RegularExpressions;

namespace Keelback.Jobs.Tests;

/// <summary>Holds a guide to the code that is run for it: each example's lines stand there, in their order, whatever checks stand between them.</summary>
internal static partial class GuideText
{
    /// <param name="guide">Its folder in <c>docs/guides</c>.</param>
    /// <param name="atLeast">Examples that it must have.</param>
    /// <param name="files">Below <c>tests</c>.</param>
    public static void IsRun(string guide, int atLeast, params string[] files)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Keelback.slnx"))) root = root.Parent!;
        var run = files.Select(file => Lines(File.ReadAllText(Path.Combine(root.FullName, "tests", file))).ToList()).ToList();

        var examples = Example().Matches(File.ReadAllText(Path.Combine(root.FullName, "docs", "guides", guide, "README.md")));

        Assert.True(examples.Count >= atLeast, $"{examples.Count} examples");
        foreach (var part in examples.SelectMany(m => Parts(m.Groups[1].Value)))
            Assert.True(run.Exists(lines => StandsIn(lines, Lines(part))), $"This is not run:\n{part}");
    }

    // A declaration, or what comes before the next one: in the code they stand in another order.
    private static IEnumerable<string> Parts(string example) => example.Split("…").SelectMany(part => Declaration().Split(part));

    private static bool StandsIn(List<string> lines, IEnumerable<string> wanted)
    {
        var at = -1;
        return wanted.All(line => (at = lines.IndexOf(line, at + 1)) >= 0);
    }

    // Indentation is the page's own, and so is the namespace that a test must name.
    private static IEnumerable<string> Lines(string code) => code.Replace("Guides.Jobs.", "", StringComparison.Ordinal)
        .Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0);

    [GeneratedRegex("```csharp\r?\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("^(?=public )", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
