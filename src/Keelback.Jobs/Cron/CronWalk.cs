using System.Numerics;

namespace Keelback.Jobs;

/// <summary>Steps from one matching wall-clock time to the next, knowing nothing of zones.</summary>
internal sealed class CronWalk(CronList seconds, CronList minutes, CronList hours, CronDays days)
{
    // The calendar repeats itself, days of the week included.
    private const int Years = 400;

    /// <summary>The first matching time at or after this one; null when no year has one.</summary>
    public DateTime? AtOrAfter(DateTime local)
    {
        var month = new DateTime(local.Year, local.Month, 1);
        var end = Math.Min(DateTime.MaxValue.Year, local.Year + Years);
        for (var from = local.Day; month.Year <= end; month = month.AddMonths(1), from = 1)
        {
            var found = days.In(month.Year, month.Month) & ~((1u << from) - 1);
            for (; found != 0; found &= found - 1)
            {
                var day = month.AddDays(BitOperations.TrailingZeroCount(found) - 1);
                if (TimeAtOrAfter(day == local.Date ? local.TimeOfDay : TimeSpan.Zero) is { } time) return day + time;
            }

            if (month is { Year: 9999, Month: 12 }) return null;
        }

        return null;
    }

    /// <summary>The last matching time at or before this one.</summary>
    public DateTime? AtOrBefore(DateTime local)
    {
        var month = new DateTime(local.Year, local.Month, 1);
        var end = Math.Max(DateTime.MinValue.Year, local.Year - Years);
        for (var to = local.Day; month.Year >= end; month = month.AddMonths(-1), to = 31)
        {
            var found = days.In(month.Year, month.Month) & (uint)((1UL << to + 1) - 1);
            while (found != 0)
            {
                var number = BitOperations.Log2(found);
                var day = month.AddDays(number - 1);
                if (TimeAtOrBefore(day == local.Date ? local.TimeOfDay : s_lastOfDay) is { } time) return day + time;
                found &= ~(1u << number);
            }

            if (month is { Year: 1, Month: 1 }) return null;
        }

        return null;
    }

    private static readonly TimeSpan s_lastOfDay = new(23, 59, 59);

    private TimeSpan? TimeAtOrAfter(TimeSpan time)
    {
        for (var hour = Up(hours, time.Hours); hour >= 0; hour = Up(hours, hour + 1))
        {
            if (hour > time.Hours) return new(hour, Up(minutes, 0), Up(seconds, 0));

            for (var minute = Up(minutes, time.Minutes); minute >= 0; minute = Up(minutes, minute + 1))
            {
                var second = Up(seconds, minute > time.Minutes ? 0 : time.Seconds);
                if (second >= 0) return new(hour, minute, second);
            }
        }

        return null;
    }

    private TimeSpan? TimeAtOrBefore(TimeSpan time)
    {
        for (var hour = Down(hours, time.Hours); hour >= 0; hour = Down(hours, hour - 1))
        {
            if (hour < time.Hours) return new(hour, Down(minutes, 59), Down(seconds, 59));

            for (var minute = Down(minutes, time.Minutes); minute >= 0; minute = Down(minutes, minute - 1))
            {
                var second = Down(seconds, minute < time.Minutes ? 59 : time.Seconds);
                if (second >= 0) return new(hour, minute, second);
            }
        }

        return null;
    }

    // -1: none.
    private static int Up(CronList list, int from)
    {
        var bits = from > 63 ? 0 : list.Bits & ulong.MaxValue << from;
        return bits == 0 ? -1 : BitOperations.TrailingZeroCount(bits);
    }

    private static int Down(CronList list, int from)
    {
        var bits = from < 0 ? 0 : list.Bits & ulong.MaxValue >> 63 - from;
        return bits == 0 ? -1 : BitOperations.Log2(bits);
    }
}
