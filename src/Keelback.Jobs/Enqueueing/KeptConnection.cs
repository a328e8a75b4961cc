using System.Data;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>
/// One connection that stays out of the pool between uses, because the pool has the server reset each session that it hands out,
/// which costs a call a quarter of a millisecond. Only for statements of the engine's, which leave nothing behind in a session.
/// </summary>
internal sealed class KeptConnection : IAsyncDisposable
{
    /// <summary>After which it goes back, idle or not: the pool has rules for how old and how idle a connection may grow.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    // Of a smaller pool, others need each one.
    private const int SmallestPool = 10;

    private readonly NpgsqlDataSource _db;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly bool _keeps;
    private Kept? _kept;
    private volatile bool _ended;

    public KeptConnection(NpgsqlDataSource db, TimeProvider clock)
    {
        (_db, _clock) = (db, clock);
        _keeps = new NpgsqlConnectionStringBuilder(db.ConnectionString) is { Pooling: true, Multiplexing: false, MaxPoolSize: >= SmallestPool };
        _timer = clock.CreateTimer(_ => Interlocked.Exchange(ref _kept, null)?.Connection.Dispose(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The kept one for who comes first, else one of the pool's.</summary>
    public async ValueTask<Kept> TakeAsync(CancellationToken ct)
    {
        if (Interlocked.Exchange(ref _kept, null) is { } kept) return kept;

        var opened = new Kept(await _db.OpenConnectionAsync(ct), _clock.GetTimestamp());
        _timer.Change(Longest, Timeout.InfiniteTimeSpan);
        return opened;
    }

    /// <summary>Keeps it; or the pool gets it, because it is broken or has been kept for long, or another is kept already.</summary>
    public ValueTask GiveBackAsync(Kept taken)
    {
        var mayBeKept = _keeps && !_ended && taken.Connection.FullState == ConnectionState.Open && _clock.GetElapsedTime(taken.Since) < Longest;
        if (!mayBeKept || Interlocked.CompareExchange(ref _kept, taken, null) is not null) return taken.Connection.DisposeAsync();

        return _ended ? EndAsync() : default; // it ended just now
    }

    public async ValueTask DisposeAsync()
    {
        _ended = true;
        await _timer.DisposeAsync();
        await EndAsync();
    }

    private ValueTask EndAsync() => Interlocked.Exchange(ref _kept, null)?.Connection.DisposeAsync() ?? default;

    /// <summary>A connection, and since when it has been out of the pool.</summary>
    internal sealed record Kept(NpgsqlConnection Connection, long Since);
}
