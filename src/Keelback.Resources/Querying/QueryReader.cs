using System.Globalization;
using Keelback.Web;
using Microsoft.AspNetCore.Http;

namespace Keelback.Resources;

/// <summary>Reads a list's query by its rules, and names every key that breaks them.</summary>
internal sealed class QueryReader(QueryRules rules)
{
    // A deep page is read and thrown away by the database; nobody turns to page 10,000 by hand.
    private const int MostRowsSkipped = 1_000_000;
    private const int MostInValues = 100;
    private const int MostSearchWords = 10;
    private const int LongestSearch = 200;

    private readonly List<FieldError> _errors = [];
    private readonly List<FilterTerm> _filters = [];
    private readonly List<OrderTerm> _orders = [];
    private string[] _words = [];
    private int _page = 1;
    private int _pageSize = rules.PageSize;

    public static (ListQuery? Query, Problem? Problem) Read(IQueryCollection query, QueryRules rules)
    {
        var reader = new QueryReader(rules);
        foreach (var (key, values) in query)
        {
            if (values.Count > 1) reader.Add(key, "duplicate", "This key stands twice.");
            else reader.Read(key, values.ToString());
        }

        reader.CheckPage();
        return reader._errors.Count > 0
            ? (null, Problem.Input(reader._errors))
            : (new(reader._filters, reader._words, reader._orders, reader._page, reader._pageSize), null);
    }

    private void Read(string key, string text)
    {
        if (rules.FilterKeys.TryGetValue(key, out var filter))
            ReadFilter(key, filter.Rule, filter.Op, text);
        else if (!rules.Known.Contains(key))
            Add(key, "unknown", "There is no such key." + Shown.Hint(key, rules.Known));
        else if (text.Contains('\0'))
            Add(key, "nul", "The character U+0000 cannot be stored.");
        else if (key == QueryKeys.Search)
            ReadSearch(text);
        else if (key == QueryKeys.Ordering)
            ReadOrdering(text);
        else
            ReadPaging(key, text);
    }

    private void ReadFilter(string key, FilterRule rule, FilterOp op, string text)
    {
        switch (op)
        {
            case FilterOp.In:
                var parts = text.Split(',');
                if (parts.Length > MostInValues)
                {
                    Add(key, "length", $"At most {MostInValues} values, got {parts.Length}.");
                    return;
                }

                var values = Array.CreateInstance(rule.ValueType, parts.Length);
                for (var i = 0; i < parts.Length; i++)
                    if (!TryValue(key, rule.ValueType, parts[i], out var part)) return;
                    else values.SetValue(part, i);
                _filters.Add(new(rule, op, values));
                break;
            default:
                if (TryValue(key, op == FilterOp.IsNull ? typeof(bool) : rule.ValueType, text, out var value))
                    _filters.Add(new(rule, op, value!));
                break;
        }
    }

    private bool TryValue(string key, Type type, string text, out object? value)
    {
        if (QueryValue.TryRead(type, text, out value)) return true;

        if (text.Contains('\0')) Add(key, "nul", "The character U+0000 cannot be stored.");
        else Add(key, "type", $"Expected {TypeNames.Of(type)}, got '{Shown.Text(text)}'.");
        return false;
    }

    private void ReadSearch(string text)
    {
        _words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (text.Length > LongestSearch) Add(QueryKeys.Search, "length", $"At most {LongestSearch} characters, got {text.Length}.");
        else if (_words.Length > MostSearchWords) Add(QueryKeys.Search, "length", $"At most {MostSearchWords} words, got {_words.Length}.");
    }

    private void ReadOrdering(string text)
    {
        foreach (var term in text.Split(','))
        {
            var descending = term.StartsWith('-');
            var name = descending ? term[1..] : term;
            if (!rules.Orders.TryGetValue(name, out var rule))
                Add(QueryKeys.Ordering, "unknown", $"Cannot order by '{Shown.Text(name)}'." + Shown.Hint(name, rules.Orders.Keys));
            else if (_orders.Any(o => o.Rule == rule))
                Add(QueryKeys.Ordering, "duplicate", $"'{name}' stands twice.");
            else
                _orders.Add(new(rule, descending));
        }
    }

    private void ReadPaging(string key, string text)
    {
        var most = key == QueryKeys.PageSize ? rules.MaxPageSize : int.MaxValue;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1 || number > most)
        {
            var range = most == int.MaxValue ? "a whole number from 1" : $"a whole number from 1 to {most}";
            Add(key, "range", $"Expected {range}, got '{Shown.Text(text)}'.");
        }
        else if (key == QueryKeys.PageSize)
        {
            _pageSize = number;
        }
        else
        {
            _page = number;
        }
    }

    private void CheckPage()
    {
        if ((long)(_page - 1) * _pageSize > MostRowsSkipped)
            Add(QueryKeys.Page, "range", $"A page may skip at most {MostRowsSkipped} rows. Filter the list instead.");
    }

    private void Add(string parameter, string code, string message) =>
        _errors.Add(FieldError.InParameter(Shown.Text(parameter), code, message));
}
