namespace Keelback.Jobs;

/// <summary>The tick that a call is made for.</summary>
/// <param name="Schedule">The schedule's name.</param>
/// <param name="At">The nominal time, with the offset of the trigger's zone; jitter and lateness are not in it.</param>
/// <param name="Previous">The tick before it; null: it is the first. Together they are the interval that a run may work on.</param>
public sealed record ScheduleTick(string Schedule, DateTimeOffset At, DateTimeOffset? Previous);
