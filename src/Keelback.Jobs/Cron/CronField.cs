namespace Keelback.Jobs;

/// <summary>One of an expression's six places: what it is called, and what may stand there.</summary>
internal sealed record CronField(string Name, int Min, int Max, params string[] Names)
{
    public static readonly CronField Second = new("second", 0, 59);
    public static readonly CronField Minute = new("minute", 0, 59);
    public static readonly CronField Hour = new("hour", 0, 23);
    public static readonly CronField DayOfMonth = new("day of month", 1, 31);

    public static readonly CronField Month = new("month", 1, 12,
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC");

    /// <summary>7 is Sunday too, so that <c>5-7</c> can be written.</summary>
    public static readonly CronField DayOfWeek = new("day of week", 0, 7, "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT");

    /// <summary>In the order of an expression that has seconds.</summary>
    public static readonly IReadOnlyList<CronField> All = [Second, Minute, Hour, DayOfMonth, Month, DayOfWeek];

    /// <summary>What may be written, for a message.</summary>
    public string Range => Names.Length == 0 ? $"{Min} to {Max}" : $"{Min} to {Max}, or {Names[0]} to {Names[^1]}";

    /// <summary>The last value that <c>*</c> stands for.</summary>
    public int Last => this == DayOfWeek ? 6 : Max;

    /// <summary>What <c>H</c> picks from: every month has a day 28.</summary>
    public int HashLast => this == DayOfMonth ? 28 : Last;
}
