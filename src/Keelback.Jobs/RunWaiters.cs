using System.Collections.Concurrent;

namespace Keelback.Jobs;

/// <summary>Who in this process waits for news of a run: a hint that saves a poll, never the truth.</summary>
internal sealed class RunWaiters
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource> _waiting = new();

    /// <summary>Done when this process has seen the run end, or heard of its progress.</summary>
    public Task NewsOf(long run) =>
        _waiting.GetOrAdd(run, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Ended(IEnumerable<long> runs)
    {
        if (_waiting.IsEmpty) return;
        foreach (var run in runs)
            if (_waiting.TryRemove(run, out var waiter))
                waiter.TrySetResult();
    }

    public void Changed(long run)
    {
        if (_waiting.TryRemove(run, out var waiter)) waiter.TrySetResult();
    }

    public void Forget(long run) => _waiting.TryRemove(run, out _);
}
