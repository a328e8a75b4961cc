using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>What SaveChanges still owes at its end: pending work when there was no entity to save, and the callbacks.</summary>
internal sealed class PendingWorkInterceptor(UnitOfWork unit, PendingTransaction pending, IRelationalConnection connection)
    : SaveChangesInterceptor
{
    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        RefuseAmbient();
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        RefuseAmbient();
        return new(result);
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        if (unit.HasPending)
            eventData.Context!.Database.CreateExecutionStrategy().Execute(() => pending.Run(() =>
            {
                unit.RunPending();
                return 0;
            }));

        unit.Saved();
        if (!unit.InTransaction) unit.RunCallbacks();
        return result;
    }

    public override async ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        if (unit.HasPending)
            await eventData.Context!.Database.CreateExecutionStrategy().ExecuteAsync(
                token => pending.RunAsync(
                    async ct =>
                    {
                        await unit.RunPendingAsync(ct);
                        return 0;
                    },
                    token),
                cancellationToken);

        unit.Saved();
        if (!unit.InTransaction) await unit.RunCallbacksAsync(cancellationToken);
        return result;
    }

    private void RefuseAmbient()
    {
        // Its commit happens where we cannot run anything before, and learn nothing after.
        if (!unit.IsEmpty && connection is ITransactionEnlistmentManager manager
            && (manager.EnlistedTransaction ?? manager.CurrentAmbientTransaction) is not null)
            throw DataErrors.AmbientTransaction();
    }
}
