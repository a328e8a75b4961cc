namespace Keelback.Jobs;

/// <summary>What becomes of one tick, or of several that share their fate.</summary>
/// <param name="At">The tick, or the first of several.</param>
/// <param name="Outcome">What was decided.</param>
/// <param name="Until">The last of several; null: it is one.</param>
/// <param name="Count">How many; null: too many to count.</param>
internal sealed record DecidedTick(DateTimeOffset At, JobTickOutcome Outcome, DateTimeOffset? Until = null, int? Count = 1);

/// <summary>How a schedule stands when a node looks at it.</summary>
/// <param name="Next">Its next nominal tick.</param>
/// <param name="Runs">Ticks that enqueued so far, and those that are about to.</param>
/// <param name="IsOpen">Whether its last run has not ended.</param>
/// <param name="IsQueued">Whether a tick waits for that.</param>
internal readonly record struct TickState(DateTimeOffset Next, int Runs, bool IsOpen, bool IsQueued);

/// <summary>Which of the ticks that are due fire, by the schedule's policies.</summary>
internal static class TickRule
{
    private static readonly TimeSpan s_graceOfNone = TimeSpan.FromMinutes(1);
    private const int MaxCounted = 10_100; // over the highest catch-up limit

    /// <summary>The decisions, the earliest first. Those after the last run that the schedule may have are left undecided.</summary>
    public static List<DecidedTick> Decide(TickSource source, ScheduleOptions options, TickState state, DateTimeOffset now)
    {
        var due = Due(source, options, state.Next, now);
        var ticks = new List<DecidedTick>();
        if (due.Before is { } before)
        {
            var outcome = IsLate(source, options, before.Last, now) ? JobTickOutcome.TooLate
                : options.CatchUp == CatchUp.All ? JobTickOutcome.OverCatchUpLimit : JobTickOutcome.Coalesced;
            ticks.Add(new(before.First, outcome, before.Last > before.First ? before.Last : null, before.Count));
        }

        // With "cancel previous" only the last would be left of several.
        var last = due.Latest.Count - 1;
        for (var i = 0; i <= last; i++)
        {
            var tick = due.Latest[i];
            var outcome = IsLate(source, options, tick, now) ? JobTickOutcome.TooLate : options.Overlap switch
            {
                Overlap.Skip when state.IsOpen => JobTickOutcome.Overlapped,
                Overlap.Queue when state.IsQueued => JobTickOutcome.Overlapped,
                Overlap.Queue when state.IsOpen => JobTickOutcome.Queued,
                Overlap.CancelPrevious when i < last => JobTickOutcome.Overlapped,
                _ => JobTickOutcome.Enqueued,
            };
            ticks.Add(new(tick, outcome));
            if (outcome is not (JobTickOutcome.Enqueued or JobTickOutcome.Queued)) continue;

            state = state with { Runs = state.Runs + 1, IsOpen = true, IsQueued = state.IsQueued || outcome == JobTickOutcome.Queued };
            if (state.Runs >= options.MaxRuns) break;
        }

        return ticks;
    }

    /// <summary>Whether a tick may fire no more.</summary>
    public static bool IsLate(TickSource source, ScheduleOptions options, DateTimeOffset tick, DateTimeOffset now) =>
        now - source.Fires(tick) > (options.MisfireGrace ?? (options.CatchUp == CatchUp.None ? s_graceOfNone : null));

    // The latest ticks that are due, as many as may fire, and what came before them. A tick fires after those before it.
    private static DueTicks Due(TickSource source, ScheduleOptions options, DateTimeOffset next, DateTimeOffset now)
    {
        var due = new DueTicks(options.CatchUp == CatchUp.All ? options.CatchUpLimit : 1);
        for (DateTimeOffset? tick = next; tick is { } at && source.Fires(at) <= now; tick = source.Next(at))
        {
            due.Add(at);
            if (due.Walked == MaxCounted && SkipTo(source, options, at, now, due.Limit) is { } resume) due.Skip(at = resume);
        }

        return due;
    }

    // An instant after which more ticks are due than may fire, twice as long ago at each try; null: none, they are few.
    private static DateTimeOffset? SkipTo(TickSource source, ScheduleOptions options, DateTimeOffset from, DateTimeOffset now, int limit)
    {
        var horizon = now - options.Jitter;
        for (var ago = TimeSpan.FromSeconds(1); horizon - ago > from; ago *= 2)
            if (source.After(horizon - ago).TakeWhile(tick => tick <= horizon).Skip(limit).Any())
                return horizon - ago;

        return null;
    }

    private sealed class DueTicks(int limit)
    {
        private readonly Queue<DateTimeOffset> _latest = new();
        private bool _skipped;

        public int Limit => limit;

        public int Walked { get; private set; }

        public IReadOnlyList<DateTimeOffset> Latest => [.. _latest];

        /// <summary>Those before the latest.</summary>
        public (DateTimeOffset First, DateTimeOffset Last, int? Count)? Before { get; private set; }

        public void Add(DateTimeOffset tick)
        {
            Walked++;
            _latest.Enqueue(tick);
            if (_latest.Count > limit) Pass(_latest.Dequeue());
        }

        /// <summary>What lies before an instant is not looked at.</summary>
        public void Skip(DateTimeOffset to)
        {
            _skipped = true;
            while (_latest.TryDequeue(out var tick)) Pass(tick);
            Before = (Before!.Value.First, to, null);
        }

        private void Pass(DateTimeOffset tick) =>
            Before = Before is { } b ? (b.First, tick, _skipped ? null : b.Count + 1) : (tick, tick, 1);
    }
}
