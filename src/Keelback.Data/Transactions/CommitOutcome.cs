using System.Data.Common;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Keelback.Data;

/// <summary>Commits, and where retries are on asks what became of a COMMIT whose answer was lost: a blind retry would do it all twice.</summary>
internal sealed class CommitOutcome(ICurrentDbContext current, IRelationalConnection connection, IDbContextOptions options)
{
    private const string CurrentXid = "select pg_current_xact_id_if_assigned()::text"; // null: nothing was written, nothing can double
    private const string Status = "select pg_xact_status($1::xid8)";

    // A server that restarts, or fails over, answers within this.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly TimeProvider _clock =
        options.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider?.GetService(typeof(TimeProvider)) as TimeProvider
        ?? TimeProvider.System;

    // Inside a strategy that is at work every other one says that it does not retry.
    private bool Verifies => (ExecutionStrategy.Current ?? current.Context.Database.CreateExecutionStrategy()).RetriesOnFailure;

    /// <exception cref="KeelbackException">KB1107: the outcome could not be learnt.</exception>
    public async Task CommitAsync(IDbContextTransaction transaction, UnitOfWork unit, CancellationToken ct)
    {
        await unit.FlushAsync(ct); // may be the first to write
        var xid = Verifies ? await ReadXidAsync(transaction, ct) : null;
        try
        {
            await transaction.CommitAsync(CancellationToken.None); // once begun, only its answer tells what is so
        }
        catch (Exception e) when (xid is not null && IsUnknown(e))
        {
            await transaction.DisposeAsync();
            if (!await WasCommittedAsync(xid, e)) throw;
            unit.Confirmed();
            if (!unit.Saving) await unit.RunCallbacksAsync(ct);
        }
    }

    /// <inheritdoc cref="CommitAsync"/>
    public void Commit(IDbContextTransaction transaction, UnitOfWork unit)
    {
        unit.Flush();
        var xid = Verifies ? ReadXid(transaction) : null;
        try
        {
            transaction.Commit();
        }
        catch (Exception e) when (xid is not null && IsUnknown(e))
        {
            transaction.Dispose();
            // Rare, and after a broken connection: waiting on a task is the lesser evil.
            if (!WasCommittedAsync(xid, e).GetAwaiter().GetResult()) throw;
            unit.Confirmed();
            if (!unit.Saving) unit.RunCallbacks();
        }
    }

    /// <summary>An error that the server raised says that nothing was committed, unless it raised it to hang up (classes 08 and 57P).</summary>
    internal static bool IsUnknown(Exception e) =>
        e is not PostgresException postgres
        || postgres.SqlState.StartsWith("08", StringComparison.Ordinal)
        || postgres.SqlState.StartsWith("57P", StringComparison.Ordinal);

    private async Task<bool> WasCommittedAsync(string xid, Exception cause)
    {
        var start = _clock.GetTimestamp();
        while (true)
        {
            try
            {
                switch (await ReadStatusAsync(xid))
                {
                    case "committed": return true;
                    case "aborted": return false;
                }

                // "in progress": the server has not noticed yet that we are gone, or has not finished.
            }
            catch (DbException)
            {
                // Still away, or a stand-in that has not heard of the transaction yet.
            }

            if (_clock.GetElapsedTime(start) >= s_patience) throw DataErrors.CommitUnknown(xid, cause);
            await Task.Delay(s_pause, _clock, CancellationToken.None);
        }
    }

    private async Task<string?> ReadStatusAsync(string xid)
    {
        await connection.OpenAsync(CancellationToken.None, errorsExpected: true);
        try
        {
            await using var command = new NpgsqlCommand(Status, (NpgsqlConnection)connection.DbConnection);
            command.Parameters.AddWithValue(NpgsqlTypes.NpgsqlDbType.Xid8, ulong.Parse(xid, System.Globalization.CultureInfo.InvariantCulture));
            return await command.ExecuteScalarAsync() as string;
        }
        finally
        {
            await connection.CloseAsync();
        }
    }

    private static string? ReadXid(IDbContextTransaction transaction)
    {
        using var command = XidCommand(transaction);
        return command.ExecuteScalar() as string;
    }

    private static async Task<string?> ReadXidAsync(IDbContextTransaction transaction, CancellationToken ct)
    {
        await using var command = XidCommand(transaction);
        return await command.ExecuteScalarAsync(ct) as string;
    }

    private static NpgsqlCommand XidCommand(IDbContextTransaction transaction)
    {
        var inner = (NpgsqlTransaction)transaction.GetDbTransaction();
        return new(CurrentXid, inner.Connection, inner);
    }
}
