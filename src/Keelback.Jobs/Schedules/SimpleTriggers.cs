namespace Keelback.Jobs;

/// <summary>What a trigger counts from.</summary>
/// <param name="Name">The schedule's; <c>H</c> in a cron expression picks by it.</param>
/// <param name="Anchor">Where intervals and calendar periods begin.</param>
/// <param name="IsStart">Whether the anchor is a tick itself: it was given.</param>
internal readonly record struct TickOrigin(string Name, DateTimeOffset Anchor, bool IsStart);

/// <summary><see cref="Trigger.Cron"/>.</summary>
internal sealed record CronTrigger(string Expression, string Zone) : Trigger
{
    private (string Name, CronExpression Expression)? _parsed;

    internal override string ZoneName => Zone;

    internal override string Words => $"cron {Expression} ({Zone})";

    internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin)
    {
        if (_parsed is not { } parsed || parsed.Name != origin.Name) _parsed = parsed = (origin.Name, CronExpression.Parse(Expression, origin.Name));
        return parsed.Expression.Next(after, Zone);
    }
}

/// <summary><see cref="Trigger.Every"/>.</summary>
internal sealed record IntervalTrigger(TimeSpan Interval, bool Aligned) : Trigger
{
    internal override string Words => $"every {Interval}{(Aligned ? ", aligned" : "")}";

    internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin)
    {
        var anchor = Aligned ? DateTimeOffset.UnixEpoch : origin.Anchor;
        var passed = (after - anchor).Ticks;
        var steps = passed >= 0 ? passed / Interval.Ticks + 1 : -((-passed - 1) / Interval.Ticks);
        if (!Aligned) steps = Math.Max(steps, origin.IsStart ? 0 : 1);

        return (DateTimeOffset.MaxValue - anchor).Ticks / Interval.Ticks >= steps ? anchor + steps * Interval : null;
    }
}

/// <summary><see cref="Trigger.Once"/>.</summary>
internal sealed record OnceTrigger(DateTimeOffset At) : Trigger
{
    internal override string Words => FormattableString.Invariant($"once at {At:yyyy-MM-dd'T'HH:mm:sszzz}");

    internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin) => At > after ? At : null;
}

/// <summary><see cref="Trigger.Any"/>.</summary>
internal sealed record AnyTrigger(IReadOnlyList<Trigger> Triggers) : Trigger
{
    internal override string ZoneName => Triggers[0].ZoneName;

    internal override string Words => $"any of ({string.Join("; ", Triggers)})";

    internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin) => Triggers.Min(trigger => trigger.Next(after, origin));
}

/// <summary><see cref="Trigger.All"/>.</summary>
internal sealed record AllTrigger(IReadOnlyList<Trigger> Triggers) : Trigger
{
    // A pair that has not met by then, such as a second of each hour and one of each minute, is taken for one that never does.
    private const int MaxSteps = 20_000;

    internal override string ZoneName => Triggers[0].ZoneName;

    internal override string Words => $"all of ({string.Join("; ", Triggers)})";

    internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin)
    {
        for (var step = 0; step < MaxSteps; step++)
        {
            // Nothing before the latest of their next ticks can be common.
            DateTimeOffset? latest = null, earliest = null;
            foreach (var trigger in Triggers)
            {
                if (trigger.Next(after, origin) is not { } next) return null;
                if (latest is null || next > latest) latest = next;
                if (earliest is null || next < earliest) earliest = next;
            }

            if (latest == earliest) return latest;
            after = latest!.Value.AddTicks(-1);
        }

        return null;
    }
}
