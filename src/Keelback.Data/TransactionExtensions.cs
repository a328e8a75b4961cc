using System.Data;
using Keelback.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Keelback;

/// <summary>Transactions that nest, are retried where the context retries, and know what to do after the commit.</summary>
public static class TransactionExtensions
{
    /// <summary>Runs <paramref name="work"/> in a transaction and commits it; inside another one, up to a savepoint.</summary>
    /// <param name="db">The context, set up with <c>UseKeelback()</c>.</param>
    /// <param name="work">Saves by itself. An exception rolls back what it did: the outermost everything, an inner one its own part.</param>
    /// <param name="isolation">Default: the server's, read committed. Of the outermost call only.</param>
    /// <param name="ct">Reaches <paramref name="work"/>; a commit that has begun is waited for.</param>
    /// <remarks>
    /// With <c>EnableRetryOnFailure()</c> the whole of <paramref name="work"/> is tried again after a passing failure, on an empty
    /// change tracker; a COMMIT whose answer was lost is looked up first. The tracker is then to be empty at the beginning.
    /// </remarks>
    /// <exception cref="KeelbackException">KB1105: an inner call asks for an isolation level. KB1106: no retry, for entities were tracked before. KB1107: the outcome is unknown.</exception>
    public static Task InTransactionAsync(
        this DbContext db,
        Func<CancellationToken, Task> work,
        IsolationLevel isolation = IsolationLevel.Unspecified,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return db.InTransactionAsync<object?>(
            async token =>
            {
                await work(token);
                return null;
            },
            isolation,
            ct);
    }

    /// <inheritdoc cref="InTransactionAsync(DbContext, Func{CancellationToken, Task}, IsolationLevel, CancellationToken)"/>
    public static Task<T> InTransactionAsync<T>(
        this DbContext db,
        Func<CancellationToken, Task<T>> work,
        IsolationLevel isolation = IsolationLevel.Unspecified,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(work);

        var transaction = new WorkTransaction(db, UnitOfWork.Of(db), db.GetService<CommitOutcome>());
        return transaction.RunAsync(work, isolation, ct);
    }

    /// <summary>Runs <paramref name="callback"/> after the outermost commit; outside a transaction, after the next SaveChanges.</summary>
    /// <remarks>
    /// Never after a rollback, to a savepoint included. Callbacks run in order, each by itself: one that throws is logged.
    /// A crash between the commit and the callback loses it; what must not be lost is a job.
    /// </remarks>
    public static void OnCommit(this DbContext db, Func<CancellationToken, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(callback);

        UnitOfWork.Of(db).OnCommit(callback);
    }
}
