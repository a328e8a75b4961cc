namespace Keelback.Postgres;

/// <summary>How often a worker says that it lives, and how long it counts as alive without.</summary>
internal readonly record struct HeartbeatOptions(TimeSpan Interval, TimeSpan Lease)
{
    /// <summary>How long before its lease ends a worker drops its work by its own, monotonic clock: a tenth, at least 100 ms.</summary>
    public TimeSpan Margin => TimeSpan.FromMilliseconds(Math.Max(100, Lease.TotalMilliseconds / 10));
}
