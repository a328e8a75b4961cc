using Npgsql;

namespace Keelback.Jobs;

/// <summary>Whether the connection pool is large enough for the concurrency: each running job may hold a connection.</summary>
internal static class PoolRule
{
    // Held for good: the pump's, and the calls' one. Now and then: timers, sweep, retention, partitions. Two are left for requests.
    private const int Others = 8;

    /// <summary>The most jobs at once that the pool has connections for.</summary>
    public static int Room(NpgsqlDataSource db)
    {
        var pool = new NpgsqlConnectionStringBuilder(db.ConnectionString);
        return pool.Pooling ? Math.Max(1, pool.MaxPoolSize - Others) : int.MaxValue;
    }

    public static KeelbackException? Mistake(JobsOptions options, NpgsqlDataSource db)
    {
        var pool = new NpgsqlConnectionStringBuilder(db.ConnectionString);
        return pool.Pooling && pool.MaxPoolSize < options.Concurrency + Others
            ? JobErrors.PoolTooSmall(options.Concurrency, options.Concurrency + Others, pool.MaxPoolSize)
            : null;
    }
}
