using Keelback.Jobs;

namespace Keelback.Testing;

/// <summary>The app's jobs, as a test runs them.</summary>
public sealed class TestJobs
{
    private readonly JobDrainer _drainer;

    internal TestJobs(JobDrainer drainer, IServiceProvider services) => (_drainer, Schedules) = (drainer, new(services));

    /// <summary>The app's schedules.</summary>
    public TestSchedules Schedules { get; }

    /// <summary>Runs every job that is due, one after the other, and what they enqueue; returns how many attempts ran.</summary>
    /// <remarks>What is due later waits for the clock to be moved. A job that fails is retried when its time has come, as in production.</remarks>
    public Task<int> DrainAsync(CancellationToken ct = default) => _drainer.DrainAsync(ct);
}
