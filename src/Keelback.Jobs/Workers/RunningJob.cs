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
internal sealed class RunningJob(Claim claim) : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly Lock _gate = new();
    private bool _ended;

    public Claim Claim { get; } = claim;

    public StopReason Reason { get; private set; }

    public CancellationToken Token => _cancellation.Token;

    /// <summary>Cancels the token; the first reason counts.</summary>
    public void Stop(StopReason reason)
    {
        lock (_gate)
        {
            if (_ended || Reason != StopReason.None) return;
            Reason = reason;

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
