using Keelback.Postgres;

namespace Keelback.Testing;

/// <summary>The app's time: the clock of the test that has the app now. The app outlives a test, and the next one begins at the real time.</summary>
internal sealed class HostClock : TimeProvider, IMovableClock
{
    private TestClock _current = new();

    public event Action? Moved;

    public TestClock Current
    {
        get => _current;
        set
        {
            ((IMovableClock)_current).Moved -= OnMoved;
            _current = value;
            ((IMovableClock)_current).Moved += OnMoved;
        }
    }

    public override DateTimeOffset GetUtcNow() => _current.GetUtcNow();

    public override long GetTimestamp() => _current.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _current.CreateTimer(callback, state, dueTime, period);

    private void OnMoved() => Moved?.Invoke();
}
