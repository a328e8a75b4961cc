using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace Keelback.Data;

/// <summary>Saves the entries and runs what is pending in one transaction, before EF takes the entries for saved.</summary>
/// <remarks>It sits inside EF's execution strategy, so a retry repeats all of it.</remarks>
internal sealed class PendingDatabase(
    DatabaseDependencies dependencies,
    RelationalDatabaseDependencies relational,
    UnitOfWork unit,
    PendingTransaction pending,
    RowTimestamps timestamps)
    : RelationalDatabase(dependencies, relational)
{
    public override int SaveChanges(IList<IUpdateEntry> entries)
    {
        timestamps.Touch(entries);
        unit.Saving = true;
        try
        {
            if (!unit.HasPending) return base.SaveChanges(entries);

            return pending.Run(() =>
            {
                var saved = base.SaveChanges(entries);
                using var keys = GeneratedValues.Lend(entries);
                unit.RunPending();
                return saved;
            });
        }
        finally
        {
            unit.Saving = false;
        }
    }

    public override async Task<int> SaveChangesAsync(IList<IUpdateEntry> entries, CancellationToken cancellationToken = default)
    {
        timestamps.Touch(entries);
        unit.Saving = true;
        try
        {
            if (!unit.HasPending) return await base.SaveChangesAsync(entries, cancellationToken);

            return await pending.RunAsync(
                async ct =>
                {
                    var saved = await base.SaveChangesAsync(entries, ct);
                    using var keys = GeneratedValues.Lend(entries);
                    await unit.RunPendingAsync(ct);
                    return saved;
                },
                cancellationToken);
        }
        finally
        {
            unit.Saving = false;
        }
    }
}
