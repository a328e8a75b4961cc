namespace Keelback.Postgres;

/// <summary>What one worker alone may do until the lease ends. Every write that it guards carries the epoch.</summary>
/// <param name="Name">Unique within the app.</param>
/// <param name="Epoch">Rises when the holder changes, and never falls.</param>
/// <param name="Until">By the database's clock.</param>
internal sealed record Lease(string Name, long Epoch, DateTimeOffset Until);

/// <summary>Who holds: a worker, and how often it has lost its own lease before.</summary>
internal readonly record struct LeaseHolder(int WorkerId, long WorkerEpoch);
