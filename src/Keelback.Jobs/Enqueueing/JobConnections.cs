using Keelback.Data;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Where enqueueing and draining get their connection from: the pool, or the transaction that a test wraps around everything.</summary>
internal sealed class JobConnections(NpgsqlDataSource db, OuterTransaction? outer = null)
{
    /// <summary>Whether everything goes over one connection, which can do one thing at a time.</summary>
    public bool ArePinned => outer?.Current is { Connection: not null };

    public async ValueTask<JobConnection> OpenAsync(CancellationToken ct) =>
        outer?.Current is { Connection: { } pinned } ? new(pinned, Owned: false) : new(await db.OpenConnectionAsync(ct), Owned: true);
}

/// <summary>An open connection; disposing gives back only what was taken from the pool.</summary>
internal readonly record struct JobConnection(NpgsqlConnection Connection, bool Owned) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Owned ? Connection.DisposeAsync() : default;

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
