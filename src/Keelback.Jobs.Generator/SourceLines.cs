using System.Text;

namespace Keelback.Jobs.Generator;

/// <summary>Lines with their indentation; always LF.</summary>
internal sealed class SourceLines
{
    private readonly StringBuilder _text = new();
    private int _depth;

    public void Line(string line = "")
    {
        // A directive stands at the margin, as one writes it.
        if (line.Length > 0 && line[0] != '#') _text.Append(' ', 4 * _depth);
        _text.Append(line).Append('\n');
    }

    public void Open(string line, string bracket = "{")
    {
        Line(line);
        Line(bracket);
        _depth++;
    }

    public void Close(string end = "}")
    {
        _depth--;
        Line(end);
    }

    public override string ToString() => _text.ToString();
}
