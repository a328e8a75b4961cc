using System.Text.RegularExpressions;

namespace Keelback.Jobs.Tests;

/// <summary>Holds a guide to the code that is run for it: each example's lines stand there, in their order, whatever checks stand between them.</summary>
internal static partial class GuideText
{
    private static readonly string[] s_shells = ["", "sh", "bash", "shell", "console"];

    /// <param name="guide">Its folder in <c>docs/guides</c>, or the page's own path.</param>
    /// <param name="atLeast">Examples that it must have.</param>
    /// <param name="files">Below <c>tests</c>.</param>
    public static void IsRun(string guide, int atLeast, params string[] files)
    {
        var run = files.Select(file => Lines(File.ReadAllText(Path.Combine(Root, "tests", file))).ToList()).ToList();

        var page = guide.EndsWith(".md", StringComparison.Ordinal) ? guide : $"docs/guides/{guide}/README.md";
        var examples = Example().Matches(File.ReadAllText(Path.Combine(Root, page)));

        Assert.True(examples.Count >= atLeast, $"{examples.Count} examples");
        foreach (var part in examples.SelectMany(m => Parts(m.Groups[1].Value)))
            Assert.True(run.Exists(lines => StandsIn(lines, Lines(part))), $"This is not run:\n{part}");
    }

    /// <summary>The lines of every page's shell examples that call an app's program, with what they call it with.</summary>
    public static IEnumerable<(string Line, string[] Arguments)> Commands() =>
        from page in Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(Root, "src"), "README.md", SearchOption.AllDirectories))
            .Append(Path.Combine(Root, "README.md"))
        from line in ShellLines(File.ReadAllLines(page))
        let call = Call().Match(line)
        where call.Success
        select (line, Words(line[call.Length..]).ToArray());

    private static string Root
    {
        get
        {
            var root = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(root.FullName, "Keelback.slnx"))) root = root.Parent!;
            return root.FullName;
        }
    }

    private static IEnumerable<string> ShellLines(IEnumerable<string> page)
    {
        string? language = null; // of the block that the line is in
        foreach (var line in page.Select(line => line.Trim()))
            if (line.StartsWith("```", StringComparison.Ordinal)) language = language is null ? line[3..] : null;
            else if (s_shells.Contains(language)) yield return line;
    }

    // As a shell reads them: quoted, or to the next space; the rest is a comment.
    private static IEnumerable<string> Words(string line) =>
        Word().Matches(line).Select(word => word.Value).TakeWhile(word => word[0] != '#').Select(word => word[0] is '\'' or '"' ? word[1..^1] : word);

    // A declaration, or what comes before the next one: in the code they stand in another order.
    private static IEnumerable<string> Parts(string example) => example.Split("…").SelectMany(part => Declaration().Split(part));

    private static bool StandsIn(List<string> lines, IEnumerable<string> wanted)
    {
        var at = -1;
        return wanted.All(line => (at = lines.IndexOf(line, at + 1)) >= 0);
    }

    // Indentation is the page's own, and so is the namespace that a test must name, or is in already.
    private static IEnumerable<string> Lines(string code) => code.Replace("Guides.Jobs.", "", StringComparison.Ordinal)
        .Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line != "using Keelback;");

    [GeneratedRegex("```csharp\r?\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^(\$ )?(store|dotnet run --) ")]
    private static partial Regex Call();

    [GeneratedRegex("""'[^']*'|"[^"]*"|#.*|\S+""")]
    private static partial Regex Word();

    [GeneratedRegex("^(?=public )", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
