using System.Globalization;
using System.Text;

namespace Keelback.Web;

/// <summary>JSON Pointers (RFC 6901).</summary>
internal static class JsonPointer
{
    public static string Append(string pointer, string member) =>
        pointer + "/" + member.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    public static string Append(string pointer, int index) => pointer + "/" + index.ToString(CultureInfo.InvariantCulture);

    /// <summary>From System.Text.Json's <c>$.lines[0]['odd name']</c>.</summary>
    public static string FromPath(string? path)
    {
        if (path is null) return "";

        var pointer = new StringBuilder();
        for (var i = 1; i < path.Length;)
        {
            var (start, end, next) = Part(path, i);
            pointer.Append('/').Append(path[start..end]
                .Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
            i = next;
        }

        return pointer.ToString();
    }

    private static (int Start, int End, int Next) Part(string path, int at)
    {
        if (path[at..].StartsWith("['", StringComparison.Ordinal))
        {
            var close = path.IndexOf("']", at, StringComparison.Ordinal);
            return close < 0 ? (at, path.Length, path.Length) : (at + 2, close, close + 2);
        }

        if (path[at] == '[')
        {
            var close = path.IndexOf(']', at);
            return close < 0 ? (at, path.Length, path.Length) : (at + 1, close, close + 1);
        }

        var begin = path[at] == '.' ? at + 1 : at;
        var end = path.AsSpan(begin).IndexOfAny('.', '[');
        end = end < 0 ? path.Length : begin + end;
        return (begin, end, Math.Max(end, at + 1));
    }
}
