using System.Globalization;

namespace RecordStore.Import;

/// <summary>A column of a table as a file spells it: text first, then its type, if the text passes <see cref="Problem"/>.</summary>
/// <remarks><c>Header</c> is its name in the file, and <c>Name</c> the one in the table, quoted.</remarks>
internal sealed record ImportColumn(
    string Header, string Name, Type Type, bool Required, int? MaxLength, int Precision, int Scale)
{
    private const string Time =
        @"^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)?)?$";

    /// <summary>Its name in the staging table, where everything is text.</summary>
    public string Text => $"\"{Header}\"";

    /// <summary>SQL: the text as the column's type.</summary>
    public string Typed => $"{Text}::{SqlType} as {Name}";

    private string SqlType =>
        Type == typeof(string) ? "text" :
        Type == typeof(int) ? "int4" :
        Type == typeof(long) ? "int8" :
        Type == typeof(decimal) ? "numeric" :
        Type == typeof(DateTimeOffset) ? "timestamptz" :
        throw new NotSupportedException($"Column {Name} is a {Type.Name}; the import reads text, numbers and times.");

    /// <summary>SQL: why the text cannot become a value, or null.</summary>
    /// <remarks>A cast in SQL fails the whole statement, so every text is looked at before it is cast. CASE keeps the order.</remarks>
    public string Problem()
    {
        var missing = Required ? $"when {Text} is null then '{Header} is missing'" : $"when {Text} is null then null";
        return $"case {missing} {string.Join(' ', Faults().Select(fault => $"when {fault.When} then {fault.Reason}"))} end";
    }

    private IEnumerable<(string When, string Reason)> Faults() =>
        Type == typeof(string) ? Lengths() :
        Type == typeof(int) ? Integers(int.MinValue, int.MaxValue) :
        Type == typeof(long) ? Integers(long.MinValue, long.MaxValue) :
        Type == typeof(decimal) ? Decimals() :
        Times();

    private IEnumerable<(string, string)> Lengths() => MaxLength is not { } max ? [] :
    [
        ($"length({Text}) > {max}", $"format('{Header} has %s characters; at most {max} fit', length({Text}))"),
    ];

    private IEnumerable<(string, string)> Integers(long min, long max) =>
    [
        ($@"{Text} !~ '^[+-]?\d{{1,30}}$'", Says("is not a whole number")),
        ($"{Text}::numeric not between {Invariant(min)} and {Invariant(max)}", Says("is out of range")),
    ];

    private IEnumerable<(string, string)> Decimals() =>
    [
        ($@"{Text} !~ '^[+-]?(\d{{1,30}}(\.\d{{0,30}})?|\.\d{{1,30}})$'", Says("is not a number")),
        ($"{Text}::numeric <> round({Text}::numeric, {Scale})", Says($"has more than {Scale} decimals")),
        ($"abs({Text}::numeric) >= 1e{Precision - Scale}", Says("is out of range")),
    ];

    private IEnumerable<(string, string)> Times() =>
    [
        ($"{Text} !~ '{Time}'", Says("is not a time like 2026-01-31 18:30:00")),
        ($"substr({Text}, 9, 2)::int > extract(day from make_date(substr({Text}, 1, 4)::int, substr({Text}, 6, 2)::int, 1) " +
         "+ interval '1 month -1 day')", Says("is not a day of the calendar")),
    ];

    private string Says(string what) => $"format('{Header} %L {what}', left({Text}, 60))";

    private static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);
}
