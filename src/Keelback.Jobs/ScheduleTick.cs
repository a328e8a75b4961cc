namespace Keelback.Jobs;

/// <summary>The tick that a call is made for.</summary>
/// <param name="Schedule">The schedule's name.</param>
/// <param name="At">The nominal time, with the offset of the trigger's zone; jitter and lateness are not in it.</param>
/// <param name="Previous">The last tick before it that enqueued; null: it is the first to.</param>
/// <remarks>
/// What lies after <paramref name="Previous"/> and up to <paramref name="At"/> is this call's: calls of ticks leave nothing out and take nothing twice,
/// since a tick that was left out, was too late, could not be enqueued or found its unique key taken hands its part on to the next that enqueues.
/// <see cref="JobSchedules.RunNowAsync"/> asks for what came since the last tick, until now; it moves no interval, so the next tick takes that again.
/// </remarks>
public sealed record ScheduleTick(string Schedule, DateTimeOffset At, DateTimeOffset? Previous);
