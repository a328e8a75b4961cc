using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>The transaction that pending work joins: the user's, up to a savepoint; else our own.</summary>
internal sealed class PendingTransaction(
    ICurrentDbContext current, IRelationalConnection connection, UnitOfWork unit, CommitOutcome outcome)
{
    private DatabaseFacade Database => current.Context.Database;

    public int Run(Func<int> work)
    {
        var savepoints = Database.AutoSavepointsEnabled;
        Database.AutoSavepointsEnabled = false; // ours is around theirs
        try
        {
            if (!unit.InTransaction) return RunInOurs(work);
            return savepoints ? Savepoint.Run(Database.CurrentTransaction!, work, unit) : work();
        }
        finally
        {
            Database.AutoSavepointsEnabled = savepoints;
        }
    }

    public async Task<int> RunAsync(Func<CancellationToken, Task<int>> work, CancellationToken ct)
    {
        var savepoints = Database.AutoSavepointsEnabled;
        Database.AutoSavepointsEnabled = false;
        try
        {
            if (!unit.InTransaction) return await RunInOursAsync(work, ct);
            return savepoints ? await Savepoint.RunAsync(Database.CurrentTransaction!, work, unit, ct) : await work(ct);
        }
        finally
        {
            Database.AutoSavepointsEnabled = savepoints;
        }
    }

    private int RunInOurs(Func<int> work)
    {
        using var transaction = connection.BeginTransaction();
        var result = work();
        outcome.Commit(transaction, unit);
        return result;
    }

    private async Task<int> RunInOursAsync(Func<CancellationToken, Task<int>> work, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var result = await work(ct);
        await outcome.CommitAsync(transaction, unit, ct);
        return result;
    }
}
