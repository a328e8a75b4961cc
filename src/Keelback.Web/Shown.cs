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
}
