namespace Keelback.Jobs;

/// <summary>A schedule that the app's code defines.</summary>
internal sealed record CodeSchedule(string Name, Trigger Trigger, Func<ScheduleTick, Job> Call, ScheduleOptions Options);
