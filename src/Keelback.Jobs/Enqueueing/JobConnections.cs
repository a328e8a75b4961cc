using Keelback.Data;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Where the engine's calls get their connection from: the pool, or the transaction that a test wraps around everything.</summary>
internal sealed class JobConnections(NpgsqlDataSource db, TimeProvider clock, OuterTransaction? outer = null) : IAsyncDisposable
{
    private readonly KeptConnection _kept = new(db, clock);

    /// <summary>Whether everything goes over one connection, which can do one thing at a time.</summary>
    public bool ArePinned => outer?.Current is { Connection: not null };

    public async ValueTask<JobConnection> OpenAsync(CancellationToken ct) =>
        outer?.Current is { Connection: { } pinned } ? new(pinned) : new(await _kept.TakeAsync(ct), _kept);

    public ValueTask DisposeAsync() => _kept.DisposeAsync();
}

/// <summary>An open connection; disposing gives back what was taken.</summary>
internal readonly struct JobConnection : IAsyncDisposable
{
    private readonly KeptConnection.Kept? _taken;
    private readonly KeptConnection? _home;

    public JobConnection(NpgsqlConnection pinned) => Connection = pinned;

    public JobConnection(KeptConnection.Kept taken, KeptConnection home) => (Connection, _taken, _home) = (taken.Connection, taken, home);

    public NpgsqlConnection Connection { get; }

    /// <summary>False: it is pinned to a transaction of the caller's.</summary>
    public bool Owned => _taken is not null;

    public ValueTask DisposeAsync() => _taken is null ? default : _home!.GiveBackAsync(_taken);

    /// <summary>All of <paramref name="work"/> or nothing; on a pinned connection by a savepoint.</summary>
    public async Task<T> AtomicallyAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken ct)
    {
        if (Owned)
        {
            await using var transaction = await Connection.BeginTransactionAsync(ct);
            var done = await work(Connection);
            await transaction.CommitAsync(ct);
            return done;
        }

        await ExecuteAsync("savepoint keelback_enqueue", ct);
        try
        {
            var done = await work(Connection);
            await ExecuteAsync("release savepoint keelback_enqueue", ct);
            return done;
        }
        catch
        {
            await ExecuteAsync("rollback to savepoint keelback_enqueue", CancellationToken.None);
            throw;
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, Connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
