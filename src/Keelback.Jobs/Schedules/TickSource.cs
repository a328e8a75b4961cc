using System.Globalization;
using NodaTime;

namespace Keelback.Jobs;

/// <summary>A schedule's nominal ticks: its trigger within its bounds, holidays taken out or moved; and when each fires.</summary>
internal sealed class TickSource
{
    private const int LongestHoliday = 366; // days

    private readonly Trigger _trigger;
    private readonly ScheduleOptions _options;
    private readonly TickOrigin _origin;
    private readonly DateTimeZone _zone;

    public TickSource(Trigger trigger, ScheduleOptions options, string name, DateTimeOffset anchor)
    {
        (_trigger, _options) = (trigger, options);
        _origin = new(name, Micro(options.Start ?? anchor), options.Start is not null);
        _zone = CronZones.Find(trigger.ZoneName);
    }

    /// <summary>The first tick after an instant, which is not included; null: none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        if (after >= CronExpression.Last) return null; // calendars and zones end soon after
        if (after < CronExpression.First) after = CronExpression.First;
        if (_options.Start is not null && after < _origin.Anchor) after = _origin.Anchor.AddTicks(-1);

        var tick = _options switch
        {
            { Holidays: null } => Bare(after),
            { OnHoliday: OnHoliday.Skip } => OffDaysSkipped(after),
            _ => OffDaysMoved(after),
        };
        return tick is null || tick > _options.End ? null : tick;
    }

    /// <summary>The ticks after an instant.</summary>
    public IEnumerable<DateTimeOffset> After(DateTimeOffset after)
    {
        for (var tick = Next(after); tick is { } at; tick = Next(at)) yield return at;
    }

    /// <summary>When a tick fires: within the jitter after it, the same on every node.</summary>
    public DateTimeOffset Fires(DateTimeOffset tick) =>
        _options.Jitter <= TimeSpan.Zero ? tick : Micro(tick + Fraction(_origin.Name, tick) * _options.Jitter);

    /// <summary>As the trigger's clocks show it.</summary>
    public DateTimeOffset InZone(DateTimeOffset tick) => Instant.FromDateTimeOffset(tick).InZone(_zone).ToOffsetDateTime().InBcl();

    // The database keeps microseconds: with more, a tick that is read back would come again.
    private static DateTimeOffset Micro(DateTimeOffset at) => at.AddTicks(-(at.Ticks % TimeSpan.TicksPerMicrosecond));

    private DateTimeOffset? Bare(DateTimeOffset after)
    {
        for (var tick = _trigger.Next(after, _origin); tick is { } at; tick = _trigger.Next(at, _origin))
            if (Micro(at) is var whole && whole > after)
                return whole;

        return null;
    }

    private DateTimeOffset? OffDaysSkipped(DateTimeOffset after)
    {
        while (Bare(after) is { } tick)
        {
            var day = DateOf(tick);
            if (!_options.Holidays!.Contains(day)) return tick;
            if (tick > _options.End || NextWorkingDay(day) is not { } next) return null;
            after = StartOf(next).AddTicks(-1);
        }

        return null;
    }

    private DateTimeOffset? OffDaysMoved(DateTimeOffset after)
    {
        for (var look = after; WorkingDayFrom(DateOf(look)) is { } day;)
        {
            if (FirstOn(day, after) is { } first) return first;
            if (Bare(StartOf(day.AddDays(1)).AddTicks(-1)) is not { } next || next > _options.End) return null;
            look = next;
        }

        return null;
    }

    // Ticks of the days off before a working day come on that day beside its own, each at its time of day: the first of each is looked at.
    private DateTimeOffset? FirstOn(DateOnly day, DateTimeOffset after)
    {
        DateTimeOffset? first = null;
        var from = day;
        do
        {
            var clocksChange = ClocksChange(from) || ClocksChange(day);
            var look = StartOf(from).AddTicks(-1);
            if (after >= StartOf(day) && !clocksChange) look = StartOf(from) + (after - StartOf(day));

            for (var tick = Bare(look); tick is { } at && DateOf(at) == from; tick = Bare(at))
            {
                if (Moved(at) is not { } moved || moved <= after) continue;
                if (first is null || moved < first) first = moved;
                if (!clocksChange) break; // the others of that day come later
            }

            from = from.AddDays(-1);
        }
        while (_options.Holidays!.Contains(from) && day.DayNumber - from.DayNumber <= LongestHoliday);

        return first;
    }

    private bool ClocksChange(DateOnly day) => StartOf(day.AddDays(1)) - StartOf(day) != TimeSpan.FromDays(1);

    private DateTimeOffset? Moved(DateTimeOffset tick)
    {
        var local = Instant.FromDateTimeOffset(tick).InZone(_zone).LocalDateTime;
        var day = local.Date.ToDateOnly();
        if (!_options.Holidays!.Contains(day)) return tick;
        return NextWorkingDay(day) is { } next ? _zone.AtLeniently(LocalDate.FromDateOnly(next) + local.TimeOfDay).ToDateTimeOffset() : null;
    }

    private DateOnly? NextWorkingDay(DateOnly day) => WorkingDayFrom(day.AddDays(1));

    private DateOnly? WorkingDayFrom(DateOnly day)
    {
        for (var i = 0; i < LongestHoliday; i++, day = day.AddDays(1))
            if (!_options.Holidays!.Contains(day)) return day;

        return null;
    }

    private DateOnly DateOf(DateTimeOffset at) => Instant.FromDateTimeOffset(at).InZone(_zone).Date.ToDateOnly();

    private DateTimeOffset StartOf(DateOnly day) => _zone.AtStartOfDay(LocalDate.FromDateOnly(day)).ToDateTimeOffset();

    // FNV-1a over the name and the tick, then the finalizer of SplitMix64: string.GetHashCode differs from process to process.
    private static double Fraction(string name, DateTimeOffset tick)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in name + tick.UtcTicks.ToString(CultureInfo.InvariantCulture)) hash = (hash ^ c) * 1099511628211UL;

        hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ hash >> 27) * 0x94D049BB133111EBUL;
        return ((hash ^ hash >> 31) >> 11) * (1.0 / (1UL << 53));
    }
}
