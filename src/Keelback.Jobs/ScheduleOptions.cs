namespace Keelback.Jobs;

/// <summary>What a schedule does beside ticking.</summary>
public sealed record ScheduleOptions
{
    /// <summary>No tick before. Default: none.</summary>
    public DateTimeOffset? Start { get; init; }

    /// <summary>No tick after. Default: none.</summary>
    public DateTimeOffset? End { get; init; }

    /// <summary>Ticks that enqueue, in all; then the schedule has ended. 1 or more. Default: no limit.</summary>
    public int? MaxRuns { get; init; }

    /// <summary>Each tick fires later by less than this, a part that is picked by the schedule's name and the tick. Up to 1 day. Default 0.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Days off. Default: none.</summary>
    public HolidayCalendar? Holidays { get; init; }

    /// <summary>What becomes of a tick on a day off. Default: left out.</summary>
    public OnHoliday OnHoliday { get; init; }

    /// <summary>A tick that could not fire within this time does not fire any more. Default: none; with <see cref="CatchUp.None"/> 1 min.</summary>
    public TimeSpan? MisfireGrace { get; init; }

    /// <summary>What becomes of ticks that passed while no node ran. Default: the latest fires, once.</summary>
    public CatchUp CatchUp { get; init; } = CatchUp.Latest;

    /// <summary>With <see cref="CatchUp.All"/>, how many of the latest fire; 1 to 10,000. Default 100.</summary>
    public int CatchUpLimit { get; init; } = 100;

    /// <summary>What a tick does when the schedule's last run has not ended yet. Default: it enqueues all the same.</summary>
    public Overlap Overlap { get; init; }
}

/// <summary>What becomes of ticks that could not fire in time.</summary>
public enum CatchUp
{
    /// <summary>Nothing: only a tick within <see cref="ScheduleOptions.MisfireGrace"/> fires, the latest if there are several.</summary>
    None,

    /// <summary>The latest fires, for all of them.</summary>
    Latest,

    /// <summary>Each fires, oldest first; of more than <see cref="ScheduleOptions.CatchUpLimit"/> the latest ones.</summary>
    All,
}

/// <summary>What a tick does when the schedule's last run has not ended yet.</summary>
public enum Overlap
{
    /// <summary>Enqueues another.</summary>
    Allow,

    /// <summary>Nothing.</summary>
    Skip,

    /// <summary>Enqueues one when that run has ended; further ticks until then do nothing.</summary>
    Queue,

    /// <summary>Cancels that run, and the graph that it belongs to; then enqueues.</summary>
    CancelPrevious,
}

/// <summary>What becomes of a tick on a day off.</summary>
public enum OnHoliday
{
    /// <summary>It is left out.</summary>
    Skip,

    /// <summary>It moves to the next day that is not off, at the same time of day; where it meets another tick, they are one.</summary>
    NextWorkingDay,
}

/// <summary>Days on which a schedule does not tick, by the dates of its trigger's zone.</summary>
public sealed record HolidayCalendar
{
    /// <summary>Single days.</summary>
    public IReadOnlyCollection<DateOnly> Dates { get; init; } = [];

    /// <summary>Days of each week, such as Saturday and Sunday; not all seven.</summary>
    public IReadOnlyCollection<DayOfWeek> Weekdays { get; init; } = [];

    /// <summary>The same day each year, such as 25 December.</summary>
    public IReadOnlyCollection<YearlyDay> Yearly { get; init; } = [];

    internal bool Contains(DateOnly day) =>
        Weekdays.Contains(day.DayOfWeek) || Dates.Contains(day) || Yearly.Any(y => y.Month == day.Month && y.Day == day.Day);
}

/// <summary>A day of each year.</summary>
/// <param name="Month">1 to 12.</param>
/// <param name="Day">1 to 31.</param>
public readonly record struct YearlyDay(int Month, int Day);
