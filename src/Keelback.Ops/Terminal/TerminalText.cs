namespace Keelback.Ops;

/// <summary>Text for a terminal: what a job's arguments or error hold must not move its cursor or speak to it.</summary>
internal static class TerminalText
{
    /// <summary>In one line.</summary>
    public static string Line(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));

    /// <summary>With its lines and tabs.</summary>
    public static string Lines(string text) => string.Concat(text.ReplaceLineEndings("\n").Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? ' ' : c));
}
