using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Keelback.Jobs;

/// <summary>Reads an expression: a method for each production, and a place for each complaint.</summary>
/// <remarks>
/// <code>
/// expression = macro | [second] minute hour day-of-month month day-of-week
/// field      = item { "," item }
/// item       = "*" [step] | "?" | hash | last | nearest | range [step | "L" | "#" digit]
/// hash       = "H" [ "(" number "-" number ")" ] [step]
/// last       = "L" [ "-" number | "W" ]                 (day of month)
/// nearest    = number "W"                               (day of month)
/// range      = value [ "-" value ]
/// step       = "/" number
/// value      = number | name
/// </code>
/// </remarks>
internal sealed class CronParser
{
    private static readonly Dictionary<string, string> s_macros = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
        ["@monthly"] = "0 0 1 * *",
        ["@weekly"] = "0 0 * * 0",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@hourly"] = "0 * * * *",
    };

    private readonly string _given;
    private readonly string _text;
    private readonly string _hashKey;
    private CronField _field = CronField.Minute;
    private int _at;
    private bool _hasStep;

    private CronParser(string given, string text, string hashKey) => (_given, _text, _hashKey) = (given, text, hashKey);

    /// <summary>Six lists, seconds first.</summary>
    /// <exception cref="KeelbackException">KB1220, with field and position.</exception>
    public static CronList[] Parse(string text, string hashKey)
    {
        var first = text.Length - text.TrimStart().Length;
        return text.AsSpan(first).StartsWith("@")
            ? new CronParser(text, Macro(text, first), hashKey).Expression()
            : new CronParser(text, text, hashKey).Expression();
    }

    private static string Macro(string text, int first) =>
        s_macros.TryGetValue(text.Trim(), out var meant)
            ? meant
            : throw JobErrors.BadCron(text, null, first, $"'{text.Trim()}' is no macro. There are {string.Join(", ", s_macros.Keys)}.");

    private CronList[] Expression()
    {
        var starts = Starts();
        if (starts.Count is not (5 or 6))
        {
            var at = starts.Count > 6 ? starts[6] : _text.Length;
            throw JobErrors.BadCron(_given, null, at,
                $"it has {starts.Count} fields. Write five (minute, hour, day of month, month, day of week), or six with seconds first.");
        }

        var lists = new List<CronList>();
        if (starts.Count == 5) lists.Add(new(CronField.Second, [new CronItem.Values(0, 0)], StartsWithStar: false, HasStep: false));
        foreach (var start in starts)
        {
            (_field, _at) = (CronField.All[lists.Count], start);
            lists.Add(Field());
        }

        return [.. lists];
    }

    private List<int> Starts()
    {
        var starts = new List<int>();
        for (var i = 0; i < _text.Length; i++)
            if (!char.IsWhiteSpace(_text[i]) && (i == 0 || char.IsWhiteSpace(_text[i - 1]))) starts.Add(i);

        return starts;
    }

    private CronList Field()
    {
        _hasStep = false;
        var startsWithStar = Peek is '*' or '?';
        var items = new List<CronItem> { Item() };
        while (Take(',')) items.Add(Item());

        return AtEnd ? new(_field, items, startsWithStar, _hasStep) : throw Unexpected();
    }

    private CronItem Item() => Peek switch
    {
        '*' => Star(),
        '?' => Any(),
        'H' or 'h' => Hash(), // begins no name of a month or a day
        'L' or 'l' when _field == CronField.DayOfMonth => Last(),
        _ => Range(),
    };

    private CronItem.Values Star()
    {
        _at++;
        return new(_field.Min, _field.Last, Step() ?? 1);
    }

    private CronItem.Values Any()
    {
        if (_field != CronField.DayOfMonth && _field != CronField.DayOfWeek) throw Bad("'?' is for the two fields of days. Write '*'.");

        _at++;
        return new(_field.Min, _field.Last);
    }

    private CronItem.Values Hash()
    {
        _at++;
        var (from, to) = Peek == '(' ? HashRange() : (_field.Min, _field.HashLast);
        if (Step() is not { } step)
        {
            var picked = from + Picked(to - from + 1);
            return new(picked, picked);
        }

        return new(from + Picked(Math.Min(step, to - from + 1)), to, step);
    }

    private (int From, int To) HashRange()
    {
        _at++;
        var from = Value();
        if (!Take('-')) throw Unexpected();
        var to = ValueFrom(from);
        return Take(')') ? (from, to) : throw Unexpected();
    }

    // The same name always picks the same moment, on every machine; each field picks by itself.
    private int Picked(int count)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{_field.Name}\n{_hashKey}"));
        return (int)(BitConverter.ToUInt32(hash) % (uint)count);
    }

    private CronItem Last()
    {
        _at++;
        if (Take('W') || Take('w')) return new CronItem.LastWeekday();
        if (!Take('-')) return new CronItem.FromEnd(0);

        var at = _at;
        var days = Number();
        return days is >= 1 and <= 30 ? new CronItem.FromEnd(days) : throw Bad($"L-{days} is before every month. Give L-1 to L-30.", at);
    }

    private CronItem Range()
    {
        var from = Value();
        if (_field == CronField.DayOfMonth && (Take('W') || Take('w'))) return new CronItem.NearestWeekday(from);
        if (_field == CronField.DayOfWeek && (Take('L') || Take('l'))) return new CronItem.LastOf(from % 7);
        if (_field == CronField.DayOfWeek && Take('#')) return new CronItem.NthOf(from % 7, Nth());

        var isRange = Take('-');
        var to = isRange ? ValueFrom(from) : from;
        if (Step() is not { } step) return new CronItem.Values(from, to);
        if (!isRange && from > _field.Last) from = _field.Min; // 7 is Sunday, with which a week of steps begins
        return new CronItem.Values(from, isRange ? to : _field.Last, step);
    }

    private int Nth()
    {
        var at = _at;
        var nth = Number();
        return nth is >= 1 and <= 5 ? nth : throw Bad($"no month has {nth} of a day of the week. Give #1 to #5.", at);
    }

    private int ValueFrom(int from)
    {
        var at = _at;
        var to = Value();
        if (_field == CronField.DayOfWeek && to == 0 && from > 0) to = 7; // FRI-SUN
        return to >= from ? to : throw Bad($"the range ends before it begins. Write {from}-{_field.Last},{_field.Min}-{to} for one that goes around.", at);
    }

    private int? Step()
    {
        if (!Take('/')) return null;

        var at = _at;
        _hasStep = true;
        var step = Number();
        // As in crontab, one over the range leaves the first value alone; more would only overflow.
        return step >= 1 ? Math.Min(step, _field.Max + 1) : throw Bad("a step of 0 never moves. Give 1 or more.", at);
    }

    private int Value()
    {
        if (char.IsAsciiLetter(Peek)) return Name();

        var at = _at;
        var value = Number();
        return value >= _field.Min && value <= _field.Max
            ? value
            : throw Bad($"{value} is {(value < _field.Min ? $"below {_field.Min}" : $"above {_field.Max}")}. Give {_field.Range}.", at);
    }

    private int Name()
    {
        var index = _at + 3 <= _text.Length
            ? Array.FindIndex(_field.Names, name => name.AsSpan().Equals(_text.AsSpan(_at, 3), StringComparison.OrdinalIgnoreCase))
            : -1;
        if (index < 0) throw Unexpected();

        _at += 3;
        return _field.Min + index;
    }

    private int Number()
    {
        var start = _at;
        while (char.IsAsciiDigit(Peek)) _at++;
        if (start == _at) throw Unexpected();

        return int.TryParse(_text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Bad($"{_text[start.._at]} is too large. Give {_field.Range}.", start);
    }

    private char Peek => _at < _text.Length ? _text[_at] : '\0';

    private bool AtEnd => _at == _text.Length || char.IsWhiteSpace(Peek);

    private bool Take(char expected)
    {
        if (Peek != expected) return false;

        _at++;
        return true;
    }

    private KeelbackException Unexpected()
    {
        if (AtEnd) return Bad($"it ends too early. Give {_field.Range}.");

        var end = _at;
        while (end < _text.Length && char.IsAsciiLetterOrDigit(_text[end])) end++;
        return Bad($"'{_text[_at..Math.Max(end, _at + 1)]}' does not belong here. Give {_field.Range}, or '*'.");
    }

    private KeelbackException Bad(string mistake, int? at = null) => JobErrors.BadCron(_given, _field, at ?? _at, mistake);
}
