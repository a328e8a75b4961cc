using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Keelback.Data;

#pragma warning disable EF1001 // Clear() is virtual, but who makes the tracker is not public; the versions are pinned together.

/// <summary>EF's tracker; what waits for the entities that <see cref="Clear"/> forgets is forgotten with them.</summary>
internal sealed class ForgettingChangeTracker(
    DbContext context, IStateManager states, IChangeDetector detector, IModel model, IEntityEntryGraphIterator graph, UnitOfWork unit)
    : ChangeTracker(context, states, detector, model, graph)
{
    public override void Clear()
    {
        base.Clear();
        unit.Forget();
    }
}

internal sealed class ForgettingChangeTrackerFactory(
    ICurrentDbContext current, IStateManager states, IChangeDetector detector, IModel model, IEntityEntryGraphIterator graph, UnitOfWork unit)
    : IChangeTrackerFactory
{
    public ChangeTracker Create() => new ForgettingChangeTracker(current.Context, states, detector, model, graph, unit);
}
