using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>What SaveChanges still owes at its end: pending work when there was no entity to save, and the callbacks.</summary>
/// <remarks>The connection cannot be a constructor's parameter: its loggers are made with the interceptors.</remarks>
internal sealed class PendingWorkInterceptor(UnitOfWork unit) : SaveChangesInterceptor
{
    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        RefuseAmbient(eventData.Context!);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        RefuseAmbient(eventData.Context!);
        return new(result);
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        if (unit.HasPending)
        {
            var pending = eventData.Context!.GetService<PendingTransaction>();
            eventData.Context!.Database.CreateExecutionStrategy().Execute(() => pending.Run(() =>
            {
                unit.RunPending();
                return 0;
            }));
        }

        unit.Saved();
        if (!unit.InTransaction) unit.RunCallbacks();
        return result;
    }

    public override async ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        if (unit.HasPending)
        {
            var pending = eventData.Context!.GetService<PendingTransaction>();
            await eventData.Context!.Database.CreateExecutionStrategy().ExecuteAsync(
                token => pending.RunAsync(
                    async ct =>
                    {
                        await unit.RunPendingAsync(ct);
                        return 0;
                    },
                    token),
                cancellationToken);
        }

        unit.Saved();
        if (!unit.InTransaction) await unit.RunCallbacksAsync(cancellationToken);
        return result;
    }

    private void RefuseAmbient(DbContext db)
    {
        // Its commit happens where we cannot run anything before, and learn nothing after.
        if (!unit.IsEmpty && db.GetService<IRelationalConnection>() is ITransactionEnlistmentManager manager
            && (manager.EnlistedTransaction ?? manager.CurrentAmbientTransaction) is not null)
            throw DataErrors.AmbientTransaction();
    }
}
