using System.Text;

namespace Keelback;

/// <summary>Reads <c>.env</c> text: <c>KEY=value</c> a line, <c>#</c> comments, an optional <c>export</c>, quotes.</summary>
/// <remarks>
/// Unquoted: to the end of the line or to <c> #</c>, trimmed. <c>'single'</c>: as it stands. <c>"double"</c>: <c>\n \r \t \\ \" \$</c>
/// are escapes. Quoted values may span lines. Nothing is interpolated. The last of two equal keys wins.
/// </remarks>
internal sealed class DotEnv
{
    private readonly string _text;
    private readonly Dictionary<string, string> _values = [];
    private readonly List<(int Line, string Message)> _mistakes = [];

    private int _at;
    private int _line = 1;

    private DotEnv(string text) => _text = text.ReplaceLineEndings("\n").TrimStart('\uFEFF');

    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>All of them; a line with a mistake sets nothing.</summary>
    public IReadOnlyList<(int Line, string Message)> Mistakes => _mistakes;

    public static DotEnv Parse(string text)
    {
        var file = new DotEnv(text);
        while (file._at < file._text.Length) file.ReadLine();

        return file;
    }

    private void ReadLine()
    {
        var line = _line;
        try
        {
            SkipBlanks();
            if (Peek is '\n' or '#' or '\0') return;

            SkipExport();
            var key = ReadKey();
            SkipBlanks();
            if (Peek != '=' || key.Length == 0) throw new FormatException(key.Length == 0 ? "expected KEY=value" : $"expected '=' after {key}");

            _at++;
            SkipBlanks();
            var value = Peek is '"' or '\'' ? ReadQuoted() : ReadBare();
            _values[key] = value;
        }
        catch (FormatException e)
        {
            _mistakes.Add((line, e.Message));
        }
        finally
        {
            SkipToNextLine();
        }
    }

    private char Peek => _at < _text.Length ? _text[_at] : '\0';

    private void SkipExport()
    {
        const string Export = "export ";
        if (string.CompareOrdinal(_text, _at, Export, 0, Export.Length) != 0) return;

        _at += Export.Length;
        SkipBlanks();
    }

    private string ReadKey()
    {
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Peek) || Peek is '_' or '.' or ':') _at++;

        var key = _text[start.._at];
        return key.Length > 0 && char.IsAsciiDigit(key[0])
            ? throw new FormatException($"the name '{key}' begins with a digit")
            : key;
    }

    private string ReadBare()
    {
        var start = _at;
        while (Peek is not ('\n' or '\0') && !(Peek == '#' && (_at == start || _text[_at - 1] is ' ' or '\t'))) _at++;

        return _text[start.._at].Trim();
    }

    private string ReadQuoted()
    {
        var quote = Peek;
        var end = FindEnd(quote);
        if (end < 0) throw new FormatException($"the quote {quote} is not closed");

        var value = quote == '"' ? Unescape(_text[(_at + 1)..end]) : _text[(_at + 1)..end];
        _line += _text[_at..end].Count(letter => letter == '\n');
        _at = end + 1;

        SkipBlanks();
        return Peek is '\n' or '\0' or '#' ? value : throw new FormatException("there is text after the closing quote");
    }

    private int FindEnd(char quote)
    {
        for (var i = _at + 1; i < _text.Length; i++)
        {
            if (_text[i] == quote) return i;
            if (_text[i] == '\\' && quote == '"') i++;
        }

        return -1;
    }

    private static string Unescape(string raw)
    {
        var value = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\' || i + 1 == raw.Length)
            {
                value.Append(raw[i]);
                continue;
            }

            var letter = raw[++i];
            _ = letter switch
            {
                'n' => value.Append('\n'),
                'r' => value.Append('\r'),
                't' => value.Append('\t'),
                '\\' or '"' or '$' => value.Append(letter),
                _ => value.Append('\\').Append(letter),
            };
        }

        return value.ToString();
    }

    private void SkipBlanks()
    {
        while (Peek is ' ' or '\t') _at++;
    }

    private void SkipToNextLine()
    {
        while (Peek is not ('\n' or '\0')) _at++;
        if (Peek == '\n') (_at, _line) = (_at + 1, _line + 1);
    }
}
