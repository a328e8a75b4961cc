using System.Collections.Immutable;

namespace Keelback.Postgres;

/// <summary>Tells loops that there is work: those of this process at once, those of others by <see cref="WakeUpRelay"/>.</summary>
/// <remarks>A hint and nothing more. Signal after the commit; one that is lost costs the sleeper one poll interval.</remarks>
internal sealed class WakeUps
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ImmutableArray<Action>> _subscribers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);

    /// <summary>Raised when the relay has something to tell other processes.</summary>
    public event Action? Signalled;

    /// <summary>Calls <paramref name="wake"/> on every signal, until disposed. It must not block or throw: setting a flag is right.</summary>
    public IDisposable Subscribe(string channel, Action wake)
    {
        lock (_gate)
            _subscribers[channel] = _subscribers.TryGetValue(channel, out var present) ? present.Add(wake) : [wake];

        return new Subscription(this, channel, wake);
    }

    /// <summary>Wakes the channel's loops, here and in other processes. Channels are short names without line breaks.</summary>
    public void Signal(string channel)
    {
        WakeHere(channel);
        SignalElsewhere(channel);
    }

    /// <summary>Wakes the channel's loops in other processes.</summary>
    public void SignalElsewhere(string channel)
    {
        lock (_gate)
            if (!_pending.Add(channel)) return; // the relay has not told the last one yet

        Signalled?.Invoke();
    }

    public void WakeHere(string channel)
    {
        ImmutableArray<Action> subscribers;
        lock (_gate)
            if (!_subscribers.TryGetValue(channel, out subscribers)) return;

        foreach (var wake in subscribers) wake();
    }

    /// <summary>After a time without ears, anything may have been signalled.</summary>
    public void WakeAllHere()
    {
        string[] channels;
        lock (_gate) channels = [.. _subscribers.Keys];

        foreach (var channel in channels) WakeHere(channel);
    }

    /// <summary>Whether a loop of this process waits for something that other processes have not been told yet.</summary>
    public bool AreHeardHere
    {
        get
        {
            lock (_gate) return _pending.Any(_subscribers.ContainsKey);
        }
    }

    /// <summary>What other processes have not been told yet.</summary>
    public IReadOnlyCollection<string> TakePending()
    {
        lock (_gate)
        {
            if (_pending.Count == 0) return [];
            string[] taken = [.. _pending];
            _pending.Clear();
            return taken;
        }
    }

    private void Unsubscribe(string channel, Action wake)
    {
        lock (_gate)
        {
            var left = _subscribers[channel].Remove(wake);
            if (left.IsEmpty) _subscribers.Remove(channel);
            else _subscribers[channel] = left;
        }
    }

    private sealed class Subscription(WakeUps wakeUps, string channel, Action wake) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0) wakeUps.Unsubscribe(channel, wake);
        }
    }
}
