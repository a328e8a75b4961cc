namespace Keelback.Jobs;

/// <summary>Who in this process waits for news of a run: a hint that saves a poll, never the truth.</summary>
internal sealed class RunWaiters
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Watched> _runs = [];
    private volatile int _count; // of the runs, to be read by every end without the lock

    /// <summary>Hears of the run until it is disposed, whoever else does.</summary>
    public Watch Of(long run)
    {
        lock (_gate)
        {
            if (!_runs.TryGetValue(run, out var watched)) _runs.Add(run, watched = new());
            watched.Watches++;
            _count = _runs.Count;
            return new(this, run, watched);
        }
    }

    public void Ended(IEnumerable<long> runs)
    {
        if (_count == 0) return;
        foreach (var run in runs) Changed(run);
    }

    public void Changed(long run)
    {
        if (_count == 0) return;

        TaskCompletionSource told;
        lock (_gate)
        {
            if (!_runs.TryGetValue(run, out var watched)) return;
            (told, watched.News) = (watched.News, NotYet());
        }

        told.SetResult();
    }

    private void Forget(long run, Watched watched)
    {
        lock (_gate)
        {
            if (--watched.Watches == 0) _runs.Remove(run);
            _count = _runs.Count;
        }
    }

    private static TaskCompletionSource NotYet() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>One who waits.</summary>
    internal sealed class Watch(RunWaiters waiters, long run, Watched watched) : IDisposable
    {
        /// <summary>Done when this process next sees the run end, or hears of its progress.</summary>
        public Task Next()
        {
            lock (waiters._gate) return watched.News.Task;
        }

        public void Dispose() => waiters.Forget(run, watched);
    }

    internal sealed class Watched
    {
        public int Watches { get; set; }

        public TaskCompletionSource News { get; set; } = NotYet();
    }
}
