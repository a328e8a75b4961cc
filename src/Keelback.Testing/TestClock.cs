using Keelback.Postgres;
using Npgsql;

namespace Keelback.Testing;

/// <summary>Time that goes on as usual and can be moved ahead, in this process and in the databases under test together.</summary>
/// <remarks>Register it as the app's <see cref="TimeProvider"/>. In SQL, <c>keelback.clock()</c> follows it.</remarks>
public sealed class TestClock : TimeProvider, IMovableClock
{
    private readonly Lock _gate = new();
    private readonly List<MovableTimer> _timers = [];
    private readonly Action<TimeSpan> _moveDatabases;
    private TimeSpan _offset;

    /// <summary>A clock for one database, several, or none.</summary>
    public TestClock(params NpgsqlDataSource[] databases)
        : this(by =>
        {
            foreach (var database in databases)
            {
                using var connection = database.OpenConnection();
                MoveDatabase(connection, by);
            }
        })
    {
    }

    /// <summary>A clock for a database that only one connection sees: a test inside a transaction that is rolled back.</summary>
    public TestClock(NpgsqlConnection connection)
        : this(by => MoveDatabase(connection, by))
    {
    }

    private TestClock(Action<TimeSpan> moveDatabases) => _moveDatabases = moveDatabases;

    private event Action? Moved;

    event Action? IMovableClock.Moved
    {
        add => Moved += value;
        remove => Moved -= value;
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;

    /// <inheritdoc/>
    public override long GetTimestamp() =>
        System.GetTimestamp() + (long)(Offset.TotalSeconds * System.TimestampFrequency);

    private TimeSpan Offset
    {
        get
        {
            lock (_gate) return _offset;
        }
    }

    /// <summary>Moves the databases' clock, then the timers in this process, then wakes every loop that sleeps.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        _moveDatabases(by);

        MovableTimer[] timers;
        lock (_gate)
        {
            _offset += by;
            timers = [.. _timers];
        }

        foreach (var timer in timers) timer.Reschedule();
        Moved?.Invoke();
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new MovableTimer(this, callback, state);
        lock (_gate) _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    private static void MoveDatabase(NpgsqlConnection connection, TimeSpan by)
    {
        using var command = new NpgsqlCommand(
            """
            with moved as (update keelback.clock_offset set by = by + $1 returning true)
            insert into keelback.clock_offset (by) select $1 where not exists (select from moved)
            """, connection);
        command.Parameters.AddWithValue(by);
        command.ExecuteNonQuery();
    }

    private void Forget(MovableTimer timer)
    {
        lock (_gate) _timers.Remove(timer);
    }

    /// <summary>A system timer that knows when it is due by the moved clock.</summary>
    private sealed class MovableTimer : ITimer
    {
        private readonly Lock _gate = new();
        private readonly TestClock _clock;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private readonly ITimer _timer;
        private DateTimeOffset? _due;
        private TimeSpan _period = Timeout.InfiniteTimeSpan;

        public MovableTimer(TestClock clock, TimerCallback callback, object? state)
        {
            (_clock, _callback, _state) = (clock, callback, state);
            _timer = System.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                _due = dueTime == Timeout.InfiniteTimeSpan ? null : _clock.GetUtcNow() + dueTime;
                _period = period == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : period;
                return _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }

        public void Reschedule()
        {
            lock (_gate)
            {
                if (_due is not { } due) return;
                var left = due - _clock.GetUtcNow();
                _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }

        private void Fire()
        {
            lock (_gate)
            {
                if (_due is null) return; // stopped, or fired by a jump, between the system timer and here
                _due = null;
                if (_period != Timeout.InfiniteTimeSpan)
                {
                    _due = _clock.GetUtcNow() + _period;
                    _timer.Change(_period, Timeout.InfiniteTimeSpan);
                }
            }

            _callback(_state);
        }

        public void Dispose()
        {
            _clock.Forget(this);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            _clock.Forget(this);
            return _timer.DisposeAsync();
        }
    }
}
