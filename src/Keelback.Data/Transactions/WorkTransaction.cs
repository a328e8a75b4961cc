using System.Data;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Data;

/// <summary>One call of <c>InTransactionAsync</c>.</summary>
internal sealed class WorkTransaction(DbContext db, UnitOfWork unit, CommitOutcome outcome)
{
    public Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, IsolationLevel isolation, CancellationToken ct)
    {
        if (!unit.InTransaction) return RunRetriedAsync(work, isolation, ct);
        if (isolation != IsolationLevel.Unspecified) throw DataErrors.IsolationInside(isolation);

        return Savepoint.RunAsync(db.Database.CurrentTransaction!, work, unit, ct);
    }

    private async Task<T> RunRetriedAsync<T>(Func<CancellationToken, Task<T>> work, IsolationLevel isolation, CancellationToken ct)
    {
        var strategy = db.Database.CreateExecutionStrategy();
        if (!strategy.RetriesOnFailure) return await RunOutermostAsync(work, isolation, ct);

        var tracked = db.ChangeTracker.Entries().Count();
        Exception? failure = null;
        return await strategy.ExecuteAsync(
            async token =>
            {
                if (failure is not null)
                {
                    if (tracked > 0) throw DataErrors.RetryWithTracked(tracked, failure);
                    db.ChangeTracker.Clear();
                }

                try
                {
                    return await RunOutermostAsync(work, isolation, token);
                }
                catch (Exception e)
                {
                    failure = e;
                    throw;
                }
            },
            ct);
    }

    private async Task<T> RunOutermostAsync<T>(Func<CancellationToken, Task<T>> work, IsolationLevel isolation, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(isolation, ct);
        var result = await work(ct);
        await outcome.CommitAsync(transaction, unit, ct);
        return result;
    }
}
