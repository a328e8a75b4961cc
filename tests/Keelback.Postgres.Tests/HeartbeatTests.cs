using Keelback.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Keelback.Postgres.Tests;

/// <summary>Alone: while the thread pool is blocked, no other test could run.</summary>
[CollectionDefinition(nameof(HeartbeatTests), DisableParallelization = true)]
[Collection(nameof(HeartbeatTests))]
public sealed class HeartbeatTests : IAsyncLifetime
{
    private static readonly HeartbeatOptions s_options = new(Interval: TimeSpan.FromSeconds(1), Lease: TimeSpan.FromSeconds(30));
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(SystemTemplate.Postgres);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_starved_thread_pool_is_not_a_dead_worker()
    {
        using var heartbeat = new Heartbeat(
            _database.DataSource, new("test", "starved", [], "{}"), s_options, () => { }, TimeProvider.System, NullLogger.Instance);
        await heartbeat.StartAsync(default);

        await using var connection = await _database.DataSource.OpenConnectionAsync();
        var (renewals, poolMoved) = WithoutPool(() => CountRenewals(connection, 3));

        Assert.Equal((3, false), (renewals, poolMoved));
        Assert.NotNull(heartbeat.Current);
    }

    // By this thread alone: nothing here may wait for another of the pool.
    private static int CountRenewals(NpgsqlConnection connection, int enough)
    {
        using var command = new NpgsqlCommand("select lease_until from keelback.worker", connection);

        var (last, seen) = ((DateTime)command.ExecuteScalar()!, 0);
        for (var begun = TimeProvider.System.GetTimestamp(); seen < enough && TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(60);)
        {
            Thread.Sleep(50);
            if ((DateTime)command.ExecuteScalar()! is var now && now > last) (last, seen) = (now, seen + 1);
        }

        return seen;
    }

    /// <summary>The work's result, and whether the pool found a thread for anything else meanwhile.</summary>
    private static (T Result, bool PoolMoved) WithoutPool<T>(Func<T> work)
    {
        ThreadPool.GetMinThreads(out var min, out var minIo);
        ThreadPool.GetMaxThreads(out var max, out var maxIo);
        using var free = new ManualResetEventSlim();
        var (blocked, asked, left) = (0, 0, 0);
        var moved = false;
        try
        {
            var most = Math.Max(Environment.ProcessorCount, ThreadPool.ThreadCount + 1);
            ThreadPool.SetMaxThreads(most, maxIo);
            ThreadPool.SetMinThreads(most, minIo);
            for (; asked < most; asked++)
                ThreadPool.UnsafeQueueUserWorkItem(_ =>
                {
                    Interlocked.Increment(ref blocked);
                    free.Wait();
                    Interlocked.Increment(ref left);
                }, null);
            SpinWait.SpinUntil(() => ThreadPool.PendingWorkItemCount > 0 || Volatile.Read(ref blocked) == most, TimeSpan.FromSeconds(60));
            ThreadPool.UnsafeQueueUserWorkItem(_ => Volatile.Write(ref moved, true), null);

            var result = work();
            return (result, Volatile.Read(ref moved));
        }
        finally
        {
            ThreadPool.SetMaxThreads(max, maxIo);
            ThreadPool.SetMinThreads(min, minIo);
            free.Set();
            SpinWait.SpinUntil(() => Volatile.Read(ref left) == asked); // whoever came late must not find it disposed
        }
    }
}
