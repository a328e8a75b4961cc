using NodaTime;
using NodaTime.TimeZones;

namespace Keelback.Jobs;

/// <summary>The instants of an expression in a zone: its wall-clock times, one stretch of constant offset after the other.</summary>
internal sealed class CronTicks(CronWalk walk, DateTimeZone zone, bool isRate, bool isHourRate)
{
    private static readonly Duration s_second = Duration.FromSeconds(1);

    /// <summary>The first tick at or after a whole second.</summary>
    public OffsetDateTime? AtOrAfter(Instant from)
    {
        while (true)
        {
            var stretch = new Stretch(zone, zone.GetZoneInterval(from));
            if (from == stretch.Start && HasGapTick(stretch)) return stretch.At(from);

            var local = stretch.Local(from);
            if (!isRate && local < stretch.FirstNew) local = stretch.FirstNew; // what comes twice has fired already
            if (walk.AtOrAfter(local) is not { } found) return null;
            if (stretch.InstantOf(found) is var tick && tick < stretch.End) return stretch.At(tick);

            from = stretch.End;
        }
    }

    /// <summary>The last tick at or before a whole second.</summary>
    public OffsetDateTime? AtOrBefore(Instant to)
    {
        while (true)
        {
            var stretch = new Stretch(zone, zone.GetZoneInterval(to));
            if (walk.AtOrBefore(stretch.Local(to)) is not { } found) return null;
            if (found >= stretch.FirstLocal && (isRate || found >= stretch.FirstNew)) return stretch.At(stretch.InstantOf(found));
            if (HasGapTick(stretch)) return stretch.At(stretch.Start);

            to = stretch.Start - s_second;
        }
    }

    private bool HasGapTick(Stretch stretch) =>
        !isHourRate && stretch.FirstNew < stretch.FirstLocal && walk.AtOrAfter(stretch.FirstNew) < stretch.FirstLocal;

    /// <summary>A stretch of constant offset, in wall-clock times.</summary>
    private readonly struct Stretch
    {
        private readonly Offset _offset;

        public Stretch(DateTimeZone zone, ZoneInterval interval)
        {
            _offset = interval.WallOffset;
            Start = interval.HasStart ? interval.Start : Instant.MinValue;
            End = interval.HasEnd ? interval.End : Instant.MaxValue;
            if (!interval.HasStart) return;

            FirstLocal = Local(Start);
            FirstNew = (Start + Duration.FromSeconds(zone.GetUtcOffset(Start - Duration.Epsilon).Seconds)).InUtc().LocalDateTime.ToDateTimeUnspecified();
        }

        public Instant Start { get; }

        public Instant End { get; }

        /// <summary>What clocks show as it begins ...</summary>
        public DateTime FirstLocal { get; }

        /// <summary>... and what they would have shown without the change: less where they go forward, more where they go back.</summary>
        public DateTime FirstNew { get; }

        public DateTime Local(Instant instant) => instant.WithOffset(_offset).LocalDateTime.ToDateTimeUnspecified();

        public Instant InstantOf(DateTime local) => LocalDateTime.FromDateTime(local).WithOffset(_offset).ToInstant();

        public OffsetDateTime At(Instant instant) => instant.WithOffset(_offset);
    }
}
