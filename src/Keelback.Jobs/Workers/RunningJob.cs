namespace Keelback.Jobs;

/// <summary>Why a running attempt's token was cancelled.</summary>
internal enum StopReason
{
    None,

    /// <summary>It took longer than its timeout: a failed attempt.</summary>
    TimedOut,

    /// <summary>Its claim was taken away; nothing it writes counts any more.</summary>
    Lost,

    /// <summary>The worker stops or lost its lease: handed back.</summary>
    Released,
}

/// <summary>An attempt in this process, and the one way to stop it.</summary>
internal sealed class RunningJob(Claim claim, TimeProvider clock) : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly Lock _gate = new();
    private bool _ended;
    private long _stoppedAt;
    private int _outcomes;

    public Claim Claim { get; } = claim;

    public StopReason Reason { get; private set; }

    public CancellationToken Token => _cancellation.Token;

    /// <summary>The server session of its open transaction; zero: it has none.</summary>
    public int Session { get; set; }

    /// <summary>Whether it was told to stop so long ago, whatever for.</summary>
    public bool IsOverdue(TimeSpan after)
    {
        lock (_gate) return Reason != StopReason.None && clock.GetElapsedTime(_stoppedAt) >= after;
    }

    /// <summary>True once: for the body, or for who gave it up.</summary>
    public bool TryEnd() => Interlocked.Increment(ref _outcomes) == 1;

    /// <summary>Cancels the token; the first reason counts.</summary>
    public void Stop(StopReason reason)
    {
        lock (_gate)
        {
            if (_ended || Reason != StopReason.None) return;
            (Reason, _stoppedAt) = (reason, clock.GetTimestamp());

            // Callbacks run elsewhere: neither the heartbeat nor the pump waits for what user code has registered.
            _ = _cancellation.CancelAsync();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            _cancellation.Dispose();
        }
    }
}
