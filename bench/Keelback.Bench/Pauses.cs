namespace Keelback.Bench;

/// <summary>What makes client, worker and server idle before a call whose latency is measured: the same on both sides.</summary>
internal static class Pauses
{
    public static TimeSpan Next() => TimeSpan.FromMilliseconds(Random.Shared.Next(20, 60));
}
