using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Keeps one worker's lease, on a thread and a connection of its own, and tells at once when it is lost.</summary>
/// <remarks>
/// Lost means: another node deleted the row (the epoch rises), or the lease is about to end by this process's monotonic
/// clock while the database does not answer. Either way <c>onLost</c> has run before anything is claimed again.
/// </remarks>
internal sealed class Heartbeat : IDisposable
{
    private readonly WorkerDescription _description;
    private readonly HeartbeatOptions _options;
    private readonly NpgsqlDataSource _db;
    private readonly string _connectionString;
    private readonly Action _onLost;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly AutoResetEvent _wake = new(false);
    private readonly TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private readonly Lock _gate = new();

    private NpgsqlConnection? _connection;
    private WorkerIdentity _worker;
    private long _renewedAt;
    private bool _live;
    private volatile bool _stopping;
    private volatile bool _paused;

    /// <param name="db">Where the connection's settings come from.</param>
    /// <param name="description">What the row says.</param>
    /// <param name="options">Interval and lease.</param>
    /// <param name="onLost">Drops everything that was held; called on the heartbeat's thread, must not block.</param>
    /// <param name="clock">Its timestamps are the monotonic clock.</param>
    /// <param name="log">Gets a line when a lease was lost, and one a second at most while the database is away.</param>
    public Heartbeat(
        NpgsqlDataSource db, WorkerDescription description, HeartbeatOptions options, Action onLost, TimeProvider clock, ILogger log)
    {
        (_db, _description, _options, _onLost, _clock, _log) = (db, description, options, onLost, clock, log);
        var wait = Math.Max(1, (int)options.Interval.TotalSeconds);
        _connectionString = new NpgsqlConnectionStringBuilder(db.ConnectionString)
        {
            Pooling = false,
            Timeout = Math.Min(3, wait),
            CommandTimeout = wait,
            CancellationTimeout = -1, // a server that does not answer will not answer the cancellation either
            ApplicationName = "keelback-heartbeat",
        }.ConnectionString;
        _thread = new(Run) { IsBackground = true, Name = "keelback heartbeat", Priority = ThreadPriority.AboveNormal };
    }

    /// <summary>Id and epoch, while the lease is held by this process's own clock; null when it is not.</summary>
    public WorkerIdentity? Current
    {
        get
        {
            lock (_gate) return _live && _clock.GetElapsedTime(_renewedAt) < _options.Lease - _options.Margin ? _worker : null;
        }
    }

    /// <summary>Starts the thread; done when the worker is on the list.</summary>
    public Task StartAsync(CancellationToken ct)
    {
        _thread.Start();
        return _registered.Task.WaitAsync(ct);
    }

    /// <summary>Renews now instead of at the next interval.</summary>
    public void Beat() => _wake.Set();

    /// <summary>Stands still as a frozen process does, for tests of what others make of it.</summary>
    internal bool Paused
    {
        get => _paused;
        set
        {
            _paused = value;
            _wake.Set();
        }
    }

    /// <summary>Ends the thread, and the registration when the database answers.</summary>
    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        _wake.Set();
        if (_thread.IsAlive) _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        while (!_stopping)
        {
            var wait = _paused ? _options.Interval : Pass();
            Sleep(wait);
        }

        Leave();
    }

    private TimeSpan RetryAfter => TimeSpan.FromSeconds(1) < _options.Interval ? TimeSpan.FromSeconds(1) : _options.Interval;

    private TimeSpan Pass()
    {
        try
        {
            BeatOnce();
            _registered.TrySetResult();
            return _options.Interval;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
        {
            _connection?.Dispose();
            _connection = null;
            FenceIfLate();
            if (!Outage.Is(e)) Log.HeartbeatFailed(_log, _description.Name, e);
            else if (Outage.MayLog(TimeProvider.System, out var unsaid))
                Log.DatabaseAway(_log, nameof(Heartbeat), e.GetBaseException().Message, RetryAfter, unsaid);
            return RetryAfter;
        }
    }

    private void BeatOnce()
    {
        // Read before the statement is sent: the lease may only seem shorter to us than it is.
        var sent = _clock.GetTimestamp();
        FenceIfLate();

        if (_connection is null)
        {
            using var pooled = _db.CreateConnection(); // lends the password, which a connection string does not give away
            _connection = pooled.CloneWith(_connectionString);
            _connection.Open();
        }

        if (_worker.Id == 0)
        {
            Hold(WorkerRegistry.Register(_connection, _description, _options.Lease), sent);
        }
        else if (WorkerRegistry.Renew(_connection, _worker, _options.Lease))
        {
            Hold(_worker, sent);
        }
        else
        {
            Lose();
            Hold(WorkerRegistry.Return(_connection, _worker, _description, _options.Lease), sent);
            Log.LeaseLost(_log, _description.Name, _worker.Id, _worker.Epoch);
        }
    }

    private void Hold(WorkerIdentity worker, long sent)
    {
        lock (_gate) (_worker, _renewedAt, _live) = (worker, sent, true);
    }

    private void FenceIfLate()
    {
        if (_live && Current is null) Lose();
    }

    private void Lose()
    {
        lock (_gate)
        {
            if (!_live) return;
            _live = false;
        }

        _onLost();
    }

    private void Sleep(TimeSpan wait)
    {
        // A moved test clock must wake us; the system's timers need the thread pool, which is what we do not rely on.
        using var moved = _clock == TimeProvider.System
            ? null
            : _clock.CreateTimer(_ => Beat(), null, wait, Timeout.InfiniteTimeSpan);

        _wake.WaitOne(UntilFence() is { } fence && fence < wait ? fence : wait);
    }

    private TimeSpan? UntilFence()
    {
        if (!_live) return null;
        var left = _options.Lease - _options.Margin - _clock.GetElapsedTime(_renewedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
    }

    private void Leave()
    {
        try
        {
            if (_connection is not null && _worker.Id != 0) WorkerRegistry.Leave(_connection, _worker);
        }
        catch (NpgsqlException)
        {
            // The row expires by itself.
        }
        finally
        {
            _connection?.Dispose();
        }
    }
}
