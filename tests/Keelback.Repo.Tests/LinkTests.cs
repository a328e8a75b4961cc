using System.Text.RegularExpressions;

namespace Keelback.Repo.Tests;

/// <summary>A link of a page to a file of the repository leads to one.</summary>
public partial class LinkTests
{
    public static TheoryData<string> Pages =>
    [
        .. new[] { "src", "docs", "samples", "bench", "chaos", "tests" }.SelectMany(folder =>
                Directory.EnumerateFiles(Repo.PathTo(folder), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repo.Root, "*.md"))
            .Select(file => Path.GetRelativePath(Repo.Root, file).Replace('\\', '/')).Order(),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file(string page)
    {
        var folder = Path.GetDirectoryName(Repo.PathTo(page))!;

        var broken =
            from Match match in Target().Matches(Repo.Read(page))
            let target = match.Groups[1].Value
            where !target.Contains("://", StringComparison.Ordinal)
            let path = Path.Combine(folder, target)
            where !File.Exists(path) && !Directory.Exists(path)
            select target;

        Assert.Empty(broken);
    }

    [GeneratedRegex(@"\]\(([^)#\s]+)[^)]*\)")]
    private static partial Regex Target();
}
