using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Update;

namespace Keelback.Data;

/// <summary>Moves <see cref="ITimestamped.UpdatedAt"/> of the rows that SaveChanges updates.</summary>
internal sealed class RowTimestamps(IDbContextOptions options)
{
    private readonly TimeProvider _clock =
        options.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider?.GetService(typeof(TimeProvider)) as TimeProvider
        ?? TimeProvider.System;

    public void Touch(IList<IUpdateEntry> entries)
    {
        foreach (var entry in entries)
            if (entry.EntityState == EntityState.Modified && typeof(ITimestamped).IsAssignableFrom(entry.EntityType.ClrType))
                entry.ToEntityEntry().Property(nameof(ITimestamped.UpdatedAt)).CurrentValue = Now();
    }

    // In microseconds, as timestamptz keeps it: the entity then equals its row.
    private DateTimeOffset Now()
    {
        var now = _clock.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
