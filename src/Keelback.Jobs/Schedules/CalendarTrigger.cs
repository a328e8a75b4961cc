using NodaTime;
using NodaTime.TimeZones;

namespace Keelback.Jobs;

internal enum CalendarUnit
{
    Day,
    Week,
    Month,
}

/// <summary><see cref="Trigger.EveryDays"/>, <see cref="Trigger.EveryWeeks"/>, <see cref="Trigger.EveryMonths"/>.</summary>
internal sealed record CalendarTrigger(
    CalendarUnit Unit, int Step, IReadOnlyList<System.DayOfWeek> On, int? Day, TimeOnly At, string Zone, DateOnly? From) : Trigger
{
    private static readonly ZoneLocalMappingResolver s_resolver =
        Resolvers.CreateMappingResolver(Resolvers.ReturnEarlier, Resolvers.ReturnStartOfIntervalAfter);

    internal override string ZoneName => Zone;

    internal override string Words
    {
        get
        {
            var unit = Unit.ToString().ToLowerInvariant();
            var on = Unit switch
            {
                CalendarUnit.Week => " on " + string.Join(", ", On),
                CalendarUnit.Month => Day < 0 ? $" on day {-Day} from the end" : $" on day {Day}",
                _ => "",
            };
            return FormattableString.Invariant($"every {(Step == 1 ? unit : $"{Step} {unit}s")}{on} at {At:HH:mm:ss} ({Zone})");
        }
    }

    /// <exception cref="KeelbackException">KB1222, KB1255.</exception>
    public static CalendarTrigger Of(
        CalendarUnit unit, int every, IEnumerable<System.DayOfWeek> on, int? day, TimeOnly at, string zone, DateOnly? from)
    {
        ArgumentNullException.ThrowIfNull(on);
        var days = on.Distinct().Order().ToList();
        if (every is < 1 or > 1000) throw JobErrors.BadTrigger($"every {every} {unit.ToString().ToLowerInvariant()}s is not 1 to 1,000.");
        if (unit == CalendarUnit.Week && days.Count == 0) throw JobErrors.BadTrigger("no day of the week was given. Give at least one.");
        if (day is 0 or < -28 or > 31) throw JobErrors.BadTrigger($"day {day} is neither 1 to 31 nor -1 (the month's last) to -28.");

        return new(unit, every, days, day, at, CronZones.Find(zone).Id, from);
    }

    internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin)
    {
        var zone = CronZones.Find(Zone);
        var first = From is { } from ? LocalDate.FromDateOnly(from) : DateIn(zone, origin.Anchor);
        var date = LocalDate.Max(DateIn(zone, after).PlusDays(-1), first); // a gap at midnight moves a tick to the next date

        for (; date.Year <= 9000; date = date.PlusDays(1))
        {
            date = DateAtOrAfter(date, first);
            if (InstantOf(date, zone) is var tick && tick > after) return tick;
        }

        return null;
    }

    private LocalDate DateAtOrAfter(LocalDate date, LocalDate first)
    {
        switch (Unit)
        {
            case CalendarUnit.Day:
                return date.PlusDays(Missing(Period.DaysBetween(first, date)));

            case CalendarUnit.Week:
                var monday = Monday(first);
                while (true)
                {
                    var weeks = Missing(Period.DaysBetween(monday, Monday(date)) / 7);
                    if (weeks == 0 && On.Contains((System.DayOfWeek)((int)date.DayOfWeek % 7))) return date;
                    date = weeks == 0 ? date.PlusDays(1) : Monday(date).PlusWeeks(weeks);
                }

            default:
                var month = new LocalDate(first.Year, first.Month, 1);
                while (true)
                {
                    var start = new LocalDate(date.Year, date.Month, 1);
                    var months = Missing((start.Year - month.Year) * 12 + start.Month - month.Month);
                    if (months == 0 && DayIn(start) is var day && day >= date) return day;
                    date = start.PlusMonths(Math.Max(months, 1));
                }
        }
    }

    // How many units until one that counts.
    private int Missing(int passed) => (Step - passed % Step) % Step;

    private LocalDate DayIn(LocalDate month)
    {
        var length = month.Calendar.GetDaysInMonth(month.Year, month.Month);
        return month.PlusDays(Day > 0 ? Math.Min(Day.Value, length) - 1 : length + Day!.Value);
    }

    private static LocalDate Monday(LocalDate date) => date.PlusDays(1 - (int)date.DayOfWeek);

    private static LocalDate DateIn(DateTimeZone zone, DateTimeOffset at) => Instant.FromDateTimeOffset(at).InZone(zone).Date;

    private DateTimeOffset InstantOf(LocalDate date, DateTimeZone zone) =>
        zone.ResolveLocal(date + LocalTime.FromTimeOnly(At), s_resolver).ToOffsetDateTime().InBcl();
}
