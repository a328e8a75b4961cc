using System.Globalization;

namespace Keelback.Jobs;

/// <summary>Says an expression in English.</summary>
internal static class CronWords
{
    // More than these are no longer read as a list.
    private const int Moments = 6;
    private const int Numbers = 9; // */7 has as many

    private static readonly string[] s_ordinals = ["", "first", "second", "third", "fourth", "fifth"];

    public static string Of(IReadOnlyList<CronList> fields)
    {
        var (seconds, minutes, hours) = (fields[0], fields[1], fields[2]);
        var (monthDays, months, weekDays) = (fields[3], fields[4], fields[5]);

        var times = Times(seconds, minutes, hours);
        var words = times is null ? Rate(seconds, minutes, hours) : $"at {times}";
        var (byMonth, byWeek) = (monthDays.IsEvery ? null : List(monthDays), weekDays.IsEvery ? null : List(weekDays));
        words += (byMonth, byWeek) switch
        {
            (null, null) => months.IsEvery && times is not null ? " every day" : "",
            ({ } days, null) => $" on {days} of the month",
            (null, { } days) => $" on {days}",
            var (days, week) => monthDays.StartsWithStar || weekDays.StartsWithStar
                ? $" on {week} that is {days} of the month"
                : $" on {days} of the month, and on {week}",
        };

        return months.IsEvery ? words : $"{words} in {List(months)}";
    }

    private static string Rate(CronList seconds, CronList minutes, CronList hours)
    {
        var words = new List<string>();
        if (seconds.Bits != 1) words.Add(Each(seconds, minutes));
        if (words.Count == 0 || !minutes.IsEvery) words.Add(Each(minutes, hours));
        if (!hours.IsEvery) words.Add(EvenSteps(hours) is null ? $"in {Some(hours)}" : $"of {Each(hours, hours)}");
        return string.Join(", ", words);
    }

    /// <summary>02:30 and 14:30, where both are lists and there are few of them.</summary>
    private static string? Times(CronList seconds, CronList minutes, CronList hours)
    {
        if (IsRate(minutes) || IsRate(hours) || Count(seconds) != 1) return null;
        if (Count(minutes) * Count(hours) > Moments) return null;

        var second = Values(seconds).Single();
        return And([.. from hour in Values(hours)
                       from minute in Values(minutes)
                       select second == 0 ? $"{hour:00}:{minute:00}" : $"{hour:00}:{minute:00}:{second:00}"]);
    }

    private static string Each(CronList list, CronList within)
    {
        var name = list.Field.Name;
        if (list.IsEvery) return $"every {name}";
        if (EvenSteps(list) is { } steps) return $"every {steps.Step} {name}s" + (steps.From == list.Field.Min ? "" : $" from {name} {steps.From}");
        return $"at {Some(list)}" + (within.IsEvery ? $" of every {within.Field.Name}" : "");
    }

    private static bool IsRate(CronList list) => list.IsEvery || EvenSteps(list) is not null;

    /// <summary>Steps that go around the clock at one distance: */45 is at minutes 0 and 45, and not every 45 minutes.</summary>
    private static CronItem.Values? EvenSteps(CronList list) =>
        list.Items is [CronItem.Values { Step: > 1 } steps] && Count(list) > 1 && Count(list) * steps.Step == list.Field.Last + 1 ? steps : null;

    /// <summary>Minutes 0 and 45, or minute 5, or every 2nd minute from 10 to 58.</summary>
    private static string Some(CronList list) => (Count(list), list.Items) switch
    {
        (1, _) => $"{list.Field.Name} {Values(list).Single()}",
        ( <= Numbers, var items) when items.Any(item => item is CronItem.Values { Step: > 1 }) => $"{list.Field.Name}s {And([.. Values(list).Select(value => Value(list.Field, value))])}",
        (_, [CronItem.Values { Step: > 1 } steps]) => Item(list.Field, steps),
        _ => $"{list.Field.Name}s {List(list)}",
    };

    private static string List(CronList list) => And([.. list.Items.Select(item => Item(list.Field, item))]);

    private static string Item(CronField field, CronItem item) => item switch
    {
        CronItem.Values { Step: > 1 } steps when steps.From + steps.Step <= steps.To =>
            $"every {steps.Step}{Suffix(steps.Step)} {field.Name} from {Value(field, steps.From)} to {Value(field, steps.To)}",
        CronItem.Values values when values.From == values.To || values.Step > 1 => Name(field, values.From),
        CronItem.Values values => $"{Name(field, values.From)} to {Value(field, values.To)}",
        CronItem.FromEnd { Days: 0 } => "the last day",
        CronItem.FromEnd end => end.Days == 1 ? "the day before the last" : $"{end.Days} days before the last",
        CronItem.LastWeekday => "the last weekday",
        CronItem.NearestWeekday nearest => $"the weekday nearest to day {nearest.Day}",
        CronItem.LastOf last => $"the month's last {Day(last.DayOfWeek)}",
        CronItem.NthOf nth => $"the month's {s_ordinals[nth.Nth]} {Day(nth.DayOfWeek)}",
        _ => throw new ArgumentOutOfRangeException(nameof(item)),
    };

    private static string Name(CronField field, int value) =>
        field == CronField.DayOfMonth ? $"day {value}" : Value(field, value);

    private static string Value(CronField field, int value) =>
        field == CronField.Month ? CultureInfo.InvariantCulture.DateTimeFormat.GetMonthName(value)
        : field == CronField.DayOfWeek ? Day(value)
        : value.ToString(CultureInfo.InvariantCulture);

    private static string Day(int dayOfWeek) => ((DayOfWeek)(dayOfWeek % 7)).ToString();

    private static string Suffix(int number) => (number % 100) is >= 11 and <= 13 ? "th" : (number % 10) switch { 1 => "st", 2 => "nd", 3 => "rd", _ => "th" };

    private static string And(IReadOnlyList<string> words) =>
        words.Count == 1 ? words[0] : $"{string.Join(", ", words.Take(words.Count - 1))} and {words[^1]}";

    private static int Count(CronList list) => System.Numerics.BitOperations.PopCount(list.Bits);

    private static IEnumerable<int> Values(CronList list) => Enumerable.Range(0, 64).Where(value => (list.Bits >> value & 1) != 0);
}
