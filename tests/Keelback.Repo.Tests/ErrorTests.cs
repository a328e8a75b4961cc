using System.Text.RegularExpressions;

namespace Keelback.Repo.Tests;

public partial class ErrorTests
{
    [Fact]
    public void Every_error_code_has_an_entry_in_the_docs_and_every_entry_a_code()
    {
        var raised = SourceFiles().SelectMany(file => Quoted().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value).Distinct().Order();
        var documented = Heading().Matches(Repo.Read("docs", "errors.md")).Select(match => match.Groups[1].Value);

        Assert.Equal(raised, documented);
    }

    [Fact]
    public void An_error_code_is_raised_in_one_place()
    {
        var twice =
            from file in SourceFiles()
            where file.EndsWith("Errors.cs")
            from Match match in Quoted().Matches(File.ReadAllText(file))
            group file by match.Groups[1].Value into code
            where code.Count() > 1
            select $"{code.Key}: {string.Join(", ", code.Select(Path.GetFileName))}";

        Assert.Empty(twice);
    }

    [Fact]
    public void A_log_event_id_is_used_once()
    {
        var twice =
            from file in SourceFiles()
            from Match match in EventId().Matches(File.ReadAllText(file))
            group file by match.Groups[1].Value into id
            where id.Count() > 1
            select $"{id.Key}: {string.Join(", ", id.Select(Path.GetFileName))}";

        Assert.Empty(twice);
    }

    private static IEnumerable<string> SourceFiles() =>
        Directory.EnumerateFiles(Repo.PathTo("src"), "*.cs", SearchOption.AllDirectories);

    [GeneratedRegex("\"(KB\\d{4}|KBJ\\d{3})[\":]")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^## (KB\d{4}|KBJ\d{3}) — \S", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"LoggerMessage\((\d{4}),")]
    private static partial Regex EventId();
}
