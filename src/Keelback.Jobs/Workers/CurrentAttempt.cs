namespace Keelback.Jobs;

/// <summary>The attempt that the calling code is part of, whatever its scope: what it enqueues is the run's child, and it may not wait for a run.</summary>
internal sealed class CurrentAttempt
{
    private readonly AsyncLocal<Attempt?> _attempt = new();

    /// <summary>Null: not inside an attempt.</summary>
    public long? Run => _attempt.Value?.Run;

    /// <summary>False for what an attempt has begun and left behind at its end, which holds no slot.</summary>
    public bool IsRunning => _attempt.Value is { HasEnded: false };

    /// <summary>For the rest of the calling method, and what it calls; ends when disposed.</summary>
    public IDisposable Begin(long run) => _attempt.Value = new(run);

    private sealed class Attempt(long run) : IDisposable
    {
        private volatile bool _hasEnded;

        public long Run => run;

        public bool HasEnded => _hasEnded;

        public void Dispose() => _hasEnded = true;
    }
}
