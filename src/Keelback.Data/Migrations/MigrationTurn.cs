using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Data;

/// <summary>Lets one process at a time plan and run a database's migrations: a plan that is old when it runs could undo another's work.</summary>
internal sealed class MigrationTurn : IAsyncDisposable
{
    private const long LockKey = 0x6B625F6D69677261; // "kb_migra"
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly NpgsqlConnection _connection;

    private MigrationTurn(NpgsqlConnection connection) => _connection = connection;

    public static async Task<MigrationTurn> WaitAsync(DbContext db, CancellationToken ct)
    {
        var turn = new MigrationTurn((NpgsqlConnection)((ICloneable)db.Database.GetDbConnection()).Clone());
        try
        {
            await turn._connection.OpenAsync(ct);
            while (!await turn.TryAsync(ct)) await Task.Delay(s_pause, TimeProvider.System, ct);
            return turn;
        }
        catch
        {
            await turn.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync(); // its end rolls back, which gives the lock away

    // Asked again and again: a statement that waits holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for that one.
    private async Task<bool> TryAsync(CancellationToken ct)
    {
        var transaction = await _connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand("select pg_try_advisory_xact_lock($1)", _connection);
        command.Parameters.AddWithValue(LockKey);
        if ((bool)(await command.ExecuteScalarAsync(ct))!) return true;

        await transaction.DisposeAsync();
        return false;
    }
}
