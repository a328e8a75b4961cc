using System.Collections.Concurrent;
using System.Diagnostics;
using Keelback.Jobs;

namespace Keelback.Bench.Sides;

/// <summary>Jobs that do next to nothing, so that what is measured is the engine.</summary>
internal sealed partial class Noops(Countdown countdown, Stamps stamps)
{
    [Job]
    public Task Run(long number, CancellationToken ct)
    {
        countdown.Signal(number);
        return Task.CompletedTask;
    }

    [Job]
    public Task Stamp(long sentAt, CancellationToken ct)
    {
        stamps.Add(Stopwatch.GetElapsedTime(sentAt)); // one clock for all processes of a machine
        return Task.CompletedTask;
    }

    [Job]
    public Task<long> Echo(long number, CancellationToken ct) => Task.FromResult(number);

    [Job]
    public Task<long> Sum(long[] numbers, CancellationToken ct) => Task.FromResult(numbers.Sum());
}

/// <summary>Tells when the last of a round's jobs has run.</summary>
internal sealed class Countdown
{
    private TaskCompletionSource _done = new();
    private int _left;
    private int _count;
    private long _sum;

    public Task Done => _done.Task;

    public int Count => Volatile.Read(ref _count);

    public long Sum => Interlocked.Read(ref _sum);

    public void Reset(int jobs)
    {
        _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        (_left, _count, _sum) = (jobs, 0, 0);
    }

    public void Signal(long number)
    {
        Interlocked.Add(ref _sum, number);
        Interlocked.Increment(ref _count);
        if (Interlocked.Decrement(ref _left) == 0) _done.SetResult();
    }
}

/// <summary>From each call to its job's start.</summary>
internal sealed class Stamps
{
    private readonly ConcurrentQueue<TimeSpan> _taken = new();

    public void Add(TimeSpan latency) => _taken.Enqueue(latency);

    /// <summary>Of the samples since the last time.</summary>
    public TimeSpan Median(int samples)
    {
        var sorted = _taken.Order().ToList();
        _taken.Clear();
        return sorted.Count == samples ? sorted[samples / 2] : throw new InvalidOperationException($"{sorted.Count} jobs ran of {samples}.");
    }
}
