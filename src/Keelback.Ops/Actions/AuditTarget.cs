using System.Globalization;

namespace Keelback.Ops;

/// <summary>How the audit calls what something is done to.</summary>
internal static class AuditTarget
{
    private static readonly string[] s_words = ["run", "graph", "bulk"];

    public static string Run(long id) => $"run {Show.Id(id)}";

    /// <summary>A whole graph, by the run that it was enqueued as.</summary>
    public static string Graph(long root) => $"graph {Show.Id(root)}";

    /// <summary>What there is a page of: its word and its id.</summary>
    public static (string Word, long Id)? Read(string target) =>
        target.Split(' ') is [var word, var text] && s_words.Contains(word) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (word, id) : null;
}
