using System.Numerics;

namespace Keelback.Jobs;

/// <summary>The days on which an expression fires, a month at a time.</summary>
/// <remarks>As crontab(5) has it: when both fields of days are restricted (neither begins with <c>*</c>), a day that fits either counts.</remarks>
internal sealed class CronDays(CronList daysOfMonth, CronList months, CronList daysOfWeek)
{
    /// <summary>Bit d is set for day d.</summary>
    public uint In(int year, int month)
    {
        if ((months.Bits >> month & 1) == 0) return 0;

        var calendar = new Month(DateTime.DaysInMonth(year, month), (int)new DateTime(year, month, 1).DayOfWeek);
        var (byMonth, byWeek) = (ByMonth(calendar), ByWeek(calendar));
        return (daysOfMonth.StartsWithStar || daysOfWeek.StartsWithStar ? byMonth & byWeek : byMonth | byWeek) & calendar.All;
    }

    private uint ByMonth(Month month)
    {
        var days = (uint)daysOfMonth.Bits;
        foreach (var item in daysOfMonth.Items)
        {
            days |= item switch
            {
                CronItem.FromEnd end when end.Days < month.Length => 1u << month.Length - end.Days,
                CronItem.LastWeekday => Highest(month.Weekdays),
                CronItem.NearestWeekday nearest when nearest.Day <= month.Length => 1u << month.NearestWeekday(nearest.Day),
                _ => 0,
            };
        }

        return days;
    }

    private uint ByWeek(Month month)
    {
        var days = 0u;
        for (var day = 0; day < 7; day++)
            if ((daysOfWeek.Bits >> day & 1) != 0) days |= month.Each(day);

        foreach (var item in daysOfWeek.Items)
        {
            days |= item switch
            {
                CronItem.LastOf last => Highest(month.Each(last.DayOfWeek)),
                CronItem.NthOf nth => month.Each(nth.DayOfWeek) & 0x7Fu << (nth.Nth - 1) * 7 + 1,
                _ => 0,
            };
        }

        return days;
    }

    private static uint Highest(uint days) => 1u << BitOperations.Log2(days);

    private readonly record struct Month(int Length, int FirstDayOfWeek)
    {
        public uint All => (uint)((1UL << Length + 1) - 2);

        public uint Weekdays => All & ~Each(0) & ~Each(6);

        /// <summary>Every such day of the week.</summary>
        public uint Each(int dayOfWeek)
        {
            var first = (dayOfWeek - FirstDayOfWeek + 7) % 7 + 1;
            return 0x10204081u << first & All; // each seventh bit
        }

        /// <summary>Saturday goes to Friday and Sunday to Monday, unless that is in another month.</summary>
        public int NearestWeekday(int day) => ((FirstDayOfWeek + day - 1) % 7) switch
        {
            6 => day > 1 ? day - 1 : day + 2,
            0 => day < Length ? day + 1 : day - 2,
            _ => day,
        };
    }
}
