using System.Text;

namespace Keelback;

/// <summary>Findings as a person reads them.</summary>
internal static class FindingList
{
    public static string Text(IReadOnlyList<Finding> findings)
    {
        var text = new StringBuilder();
        foreach (var finding in findings.OrderByDescending(f => f.Level))
        {
            text.Append("  ").Append(finding.Level == FindingLevel.Error ? "error " : "warning ");
            text.Append(finding.Code).Append(": ").Append(finding.Message).Append('\n');
            if (finding.Hint is not null) text.Append("    hint: ").Append(finding.Hint).Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }

    public static string Count(IReadOnlyCollection<Finding> findings) => findings.Count == 1 ? "1 mistake" : $"{findings.Count} mistakes";
}
