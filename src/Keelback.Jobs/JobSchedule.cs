namespace Keelback.Jobs;

/// <summary>A schedule as the database has it at this moment.</summary>
/// <param name="Name">Unique in the app.</param>
/// <param name="Trigger">When it ticks.</param>
/// <param name="Options">As they are in force.</param>
/// <param name="Kinds">The jobs that a tick enqueues; the last is the one whose run the tick is known by.</param>
/// <param name="State">Whether it ticks.</param>
/// <param name="IsFromCode">Whether the app's code defines it; else it was added at run time.</param>
/// <param name="IsOverridden">Whether it was changed at run time, and differs from the code until it is reset.</param>
/// <param name="Next">Its next tick; null: paused, retired, ended, or only a tick that failed is left to be tried again.</param>
/// <param name="Last">Its last tick, whatever became of it.</param>
/// <param name="LastRun">The last run that it enqueued.</param>
/// <param name="Runs">How many ticks enqueued.</param>
public sealed record JobSchedule(
    string Name, Trigger Trigger, ScheduleOptions Options, IReadOnlyList<string> Kinds, JobScheduleState State,
    bool IsFromCode, bool IsOverridden, DateTimeOffset? Next, DateTimeOffset? Last, long? LastRun, int Runs)
{
    internal DateTimeOffset Anchor { get; init; }

    /// <summary>The ticks to come after an instant, without end.</summary>
    public IEnumerable<DateTimeOffset> TicksAfter(DateTimeOffset after)
    {
        var source = new TickSource(Trigger, Options, Name, Anchor);
        return source.After(after).Select(source.InZone);
    }
}

/// <summary>Whether a schedule ticks.</summary>
public enum JobScheduleState
{
    /// <summary>It ticks.</summary>
    Active,

    /// <summary>Until it is resumed; ticks that pass meanwhile are not made up for.</summary>
    Paused,

    /// <summary>The code has it no more. Its history stays until it is removed.</summary>
    Retired,

    /// <summary>It has no further tick.</summary>
    Ended,
}

/// <summary>A tick that passed, or several that shared their fate.</summary>
/// <param name="At">The nominal time; of several the first.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Run">The run that it enqueued; of one that found its unique key taken, the run that has it.</param>
/// <param name="DecidedAt">When that was decided, by the database's clock.</param>
/// <param name="Until">The last of several; null: it was one.</param>
/// <param name="Count">How many; null: over 10,000.</param>
/// <param name="Error">Why the call could not be enqueued.</param>
public sealed record JobTick(
    DateTimeOffset At, JobTickOutcome Outcome, long? Run, DateTimeOffset DecidedAt, DateTimeOffset? Until, int? Count, string? Error);

/// <summary>What became of a tick.</summary>
public enum JobTickOutcome
{
    /// <summary>It enqueued a run.</summary>
    Enqueued,

    /// <summary>It waits for the last run to end: <see cref="Overlap.Queue"/>.</summary>
    Queued,

    /// <summary>Later than <see cref="ScheduleOptions.MisfireGrace"/>.</summary>
    TooLate,

    /// <summary>A later one fired for it: <see cref="CatchUp.Latest"/>.</summary>
    Coalesced,

    /// <summary>Over <see cref="ScheduleOptions.CatchUpLimit"/>.</summary>
    OverCatchUpLimit,

    /// <summary>The last run had not ended: <see cref="ScheduleOptions.Overlap"/>. Or the call's unique key was taken, by the run that is named.</summary>
    Overlapped,

    /// <summary>Not a tick: somebody ran the schedule by hand.</summary>
    ByHand,

    /// <summary>The call could not be enqueued; the error says why. It is tried again until a later tick fires.</summary>
    Failed,
}
