namespace Keelback.Jobs;

/// <summary>What must hold for a schedule, wherever it comes from.</summary>
internal static class ScheduleRules
{
    private const int MaxName = 200;
    private static readonly DateTimeOffset s_early = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <exception cref="KeelbackException">KB1256, KB1257.</exception>
    public static void Check(string name, Trigger trigger, ScheduleOptions options)
    {
        var mistake = options switch
        {
            _ when string.IsNullOrWhiteSpace(name) || name.Length > MaxName => "its name must have 1 to 200 characters.",
            _ when StorableText.NameMistake(name) is { } wrong => $"its name: {wrong}",
            { Start: { } start, End: { } end } when end < start => $"it ends ({end:O}) before it starts ({start:O}).",
            { MaxRuns: < 1 } => $"{nameof(options.MaxRuns)} ({options.MaxRuns}) must be 1 or more.",
            { Jitter: var jitter } when jitter < TimeSpan.Zero || jitter > TimeSpan.FromDays(1) =>
                $"{nameof(options.Jitter)} ({jitter}) must be between 0 and 1 day.",
            { MisfireGrace: { } grace } when grace <= TimeSpan.Zero => $"{nameof(options.MisfireGrace)} ({grace}) must be more than zero.",
            { CatchUpLimit: < 1 or > 10_000 } => $"{nameof(options.CatchUpLimit)} ({options.CatchUpLimit}) must be 1 to 10,000.",
            _ when !Enum.IsDefined(options.CatchUp) => $"there is no {nameof(CatchUp)} {options.CatchUp}.",
            _ when !Enum.IsDefined(options.Overlap) => $"there is no {nameof(Overlap)} {options.Overlap}.",
            _ when !Enum.IsDefined(options.OnHoliday) => $"there is no {nameof(OnHoliday)} {options.OnHoliday}.",
            { Holidays: { } holidays } when holidays.Weekdays.Distinct().Count() == 7 => "every day of the week is a holiday.",
            { Holidays: { } holidays } when holidays.Yearly.Where(d => !IsDay(d)).ToList() is [var day, ..] =>
                $"there is no day {day.Day} in month {day.Month}.",
            _ => null,
        };
        if (mistake is not null) throw JobErrors.BadSchedule(name, mistake);

        var from = (options.Start ?? s_early).AddTicks(-1);
        if (new TickSource(trigger, options, name, options.Start ?? s_early).Next(from) is null) throw JobErrors.ScheduleNeverFires(name, trigger, options);
    }

    private static bool IsDay(YearlyDay day) => day.Month is >= 1 and <= 12 && day.Day >= 1 && day.Day <= DateTime.DaysInMonth(2028, day.Month);
}
