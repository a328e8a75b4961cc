namespace Keelback.Jobs;

/// <summary>One element of a field's list.</summary>
internal abstract record CronItem
{
    /// <summary>Every <paramref name="Step"/>th value; a single one when both ends are the same.</summary>
    public sealed record Values(int From, int To, int Step = 1) : CronItem
    {
        public ulong Bits
        {
            get
            {
                var bits = 0UL;
                for (var value = From; value <= To; value += Step) bits |= 1UL << value;
                return bits;
            }
        }
    }

    /// <summary><c>L</c> and <c>L-3</c>: so many days before the month's last.</summary>
    public sealed record FromEnd(int Days) : CronItem;

    /// <summary><c>15W</c>: the Monday to Friday nearest to that day, in the same month.</summary>
    public sealed record NearestWeekday(int Day) : CronItem;

    /// <summary><c>LW</c>: the month's last Monday to Friday.</summary>
    public sealed record LastWeekday : CronItem;

    /// <summary><c>FRIL</c>: the month's last such day.</summary>
    public sealed record LastOf(int DayOfWeek) : CronItem;

    /// <summary><c>FRI#2</c>: the month's second such day.</summary>
    public sealed record NthOf(int DayOfWeek, int Nth) : CronItem;
}

/// <summary>What stands in one field.</summary>
internal sealed record CronList(CronField Field, IReadOnlyList<CronItem> Items, bool StartsWithStar, bool HasStep)
{
    /// <summary>The plain values, a bit each; Sunday is bit 0.</summary>
    public ulong Bits { get; } = Folded(Field, Items);

    public bool IsEvery => StartsWithStar && Bits == new CronItem.Values(Field.Min, Field.Last).Bits;

    /// <summary>Says how often rather than when: <c>*</c> or a step. At a change of the clock it keeps its rate.</summary>
    public bool IsRate => StartsWithStar || HasStep;

    private static ulong Folded(CronField field, IReadOnlyList<CronItem> items)
    {
        var bits = items.OfType<CronItem.Values>().Aggregate(0UL, (all, item) => all | item.Bits);
        return field == CronField.DayOfWeek && (bits & 1UL << 7) != 0 ? bits & ~(1UL << 7) | 1UL : bits;
    }
}
