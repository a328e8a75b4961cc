using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Data;

/// <summary>What a context still has to do before its outermost commit, and after it.</summary>
/// <remarks>One per context; a pooled context comes back empty. Higher packages join a commit through here.</remarks>
internal sealed class UnitOfWork
{
    /// <summary>Work that joins the transaction of the next SaveChanges, after the rows are written and their keys are known.</summary>
    public void BeforeCommit(IPendingWork work) => throw new NotImplementedException();

    /// <summary>Runs after the outermost commit; dropped with the savepoint or transaction that is rolled back.</summary>
    public void OnCommit(Func<CancellationToken, Task> callback) => throw new NotImplementedException();
}

/// <summary>Work inside someone's transaction, in both colours: a synchronous SaveChanges must not block on a task.</summary>
internal interface IPendingWork
{
    void Run(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction);

    Task RunAsync(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct);
}
