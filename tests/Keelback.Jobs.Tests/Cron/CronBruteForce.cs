using NodaTime;

namespace Keelback.Jobs.Tests;

/// <summary>Ticks found the slow way: every minute of a span is asked whether the expression's five fields name it.</summary>
/// <remarks>Shares nothing with the engine but the parsed fields' values.</remarks>
internal sealed class CronBruteForce
{
    private readonly (DateTimeOffset At, LocalDateTime Local)[] _minutes;

    public CronBruteForce(string zone, DateTimeOffset from, DateTimeOffset to)
    {
        var rules = DateTimeZoneProviders.Tzdb[zone];
        _minutes = [.. Enumerable.Range(0, (int)(to - from).TotalMinutes).Select(minute =>
        {
            var at = Instant.FromDateTimeOffset(from.AddMinutes(minute)).InZone(rules);
            return (at.ToDateTimeOffset(), at.LocalDateTime);
        })];
    }

    public List<DateTimeOffset> Ticks(string text)
    {
        var (expression, fields) = (CronExpression.Parse(text), text.Split(' '));
        bool isHourRate = IsRate(fields[1]), isRate = isHourRate || IsRate(fields[0]);

        var ticks = new List<DateTimeOffset>();
        LocalDateTime latest = _minutes[0].Local.PlusMinutes(-1), last = latest;
        foreach (var (at, local) in _minutes)
        {
            var fires = (isRate || local > latest) && Fires(expression, local);

            // The clock leapt: was a moment left out?
            if (!isHourRate && local > last.PlusMinutes(1))
                for (var skipped = last.PlusMinutes(1); skipped < local && !fires; skipped = skipped.PlusMinutes(1)) fires = Fires(expression, skipped);

            if (fires) ticks.Add(at);
            if (local > latest) latest = local;
            last = local;
        }

        return ticks;
    }

    private static bool IsRate(string field) => field.StartsWith('*') || field.Contains('/', StringComparison.Ordinal);

    private static bool Fires(CronExpression expression, LocalDateTime time)
    {
        var fields = expression.Fields;
        if (!Has(fields[1], time.Minute) || !Has(fields[2], time.Hour) || !Has(fields[4], time.Month)) return false;

        var (byMonth, byWeek) = (IsDayOfMonth(fields[3], time.Date), IsDayOfWeek(fields[5], time.Date));
        return fields[3].StartsWithStar || fields[5].StartsWithStar ? byMonth && byWeek : byMonth || byWeek;
    }

    private static bool Has(CronList list, int value) => (list.Bits >> value & 1) != 0;

    private static bool IsDayOfMonth(CronList list, LocalDate day)
    {
        var length = day.Calendar.GetDaysInMonth(day.Year, day.Month);
        return Has(list, day.Day) || list.Items.Any(item => item switch
        {
            CronItem.FromEnd end => day.Day == length - end.Days,
            CronItem.LastWeekday => IsWeekday(day) && Enumerable.Range(day.Day + 1, length - day.Day).All(d => !IsWeekday(new(day.Year, day.Month, d))),
            CronItem.NearestWeekday nearest => nearest.Day <= length && day == Nearest(new(day.Year, day.Month, nearest.Day)),
            _ => false,
        });
    }

    private static bool IsDayOfWeek(CronList list, LocalDate day)
    {
        var dayOfWeek = (int)day.DayOfWeek % 7;
        return Has(list, dayOfWeek) || list.Items.Any(item => item switch
        {
            CronItem.LastOf last => dayOfWeek == last.DayOfWeek && day.PlusDays(7).Month != day.Month,
            CronItem.NthOf nth => dayOfWeek == nth.DayOfWeek && (day.Day + 6) / 7 == nth.Nth,
            _ => false,
        });
    }

    private static LocalDate Nearest(LocalDate day) =>
        new[] { 0, -1, 1, -2, 2 }.Select(day.PlusDays).First(d => IsWeekday(d) && d.Month == day.Month);

    private static bool IsWeekday(LocalDate day) => day.DayOfWeek is not (IsoDayOfWeek.Saturday or IsoDayOfWeek.Sunday);
}
