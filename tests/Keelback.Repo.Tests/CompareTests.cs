using System.Text.RegularExpressions;

namespace Keelback.Repo.Tests;

/// <summary>The comparison answers every row of the other systems' features; what it calls built names tests that exist.</summary>
public partial class CompareTests
{
    private static readonly IReadOnlyList<string> s_rows =
    [
        .. Enumerable.Range(1, 50).Select(n => $"C{n}"), .. Enumerable.Range(1, 3).Select(n => $"W{n}"), .. Enumerable.Range(1, 4).Select(n => $"S{n}"),
    ];

    private static readonly ILookup<string, string> s_testFiles = Directory
        .EnumerateFiles(Repo.PathTo("tests"), "*.cs", SearchOption.AllDirectories)
        .ToLookup(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);

    public static TheoryData<string> Rows => [.. s_rows];

    [Fact]
    public void Every_row_is_there_once_and_in_order() => Assert.Equal(s_rows, Table().Select(row => row.Id));

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_has_an_answer_and_names_its_tests_or_its_reason(string id)
    {
        var row = Table().Single(r => r.Id == id);
        Assert.True(row.Ours.Length > 20, $"{id} has no answer.");

        var tests = Name().Matches(row.Proof).Select(match => match.Groups[1].Value).ToList();
        Assert.True(tests.Count > 0 || row.Proof.StartsWith("by decision", StringComparison.Ordinal), $"{id} names neither a test nor its reason.");
        Assert.DoesNotContain(tests, test => !Exists(test));
    }

    private static bool Exists(string test)
    {
        var parts = test.Split('.');
        return s_testFiles[parts[0]].Any(text => parts.Length == 1 || text.Contains($" {parts[1]}(", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Id, string Ours, string Proof)> Table() =>
        from line in Repo.Read("docs", "compare", "celery.md").Split('\n')
        let cells = line.Split('|', StringSplitOptions.TrimEntries)
        where cells.Length == 6 && RowId().IsMatch(cells[1])
        select (RowId().Match(cells[1]).Value, cells[3], cells[4]);

    [GeneratedRegex(@"^[CWS]\d+")]
    private static partial Regex RowId();

    [GeneratedRegex("`([A-Za-z_.]+)`")]
    private static partial Regex Name();
}
