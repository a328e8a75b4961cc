using System.Text;

namespace Keelback.Web;

/// <summary>A caller's own text as it may stand in a message: short, and without control characters.</summary>
internal static class Shown
{
    private const int Longest = 60;

    public static string Text(string text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, Longest) + 1);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, Longest)))
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c);

        return text.Length > Longest ? shown.Append('…').ToString() : shown.ToString();
    }

    /// <summary><c> Did you mean 'x'?</c>, or nothing when no known name is near.</summary>
    public static string Hint(string name, IEnumerable<string> known) =>
        NearestName.Of(Text(name), known) is { } nearest ? $" Did you mean '{nearest}'?" : "";
}
