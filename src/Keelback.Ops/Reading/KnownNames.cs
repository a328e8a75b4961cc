using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>The names that a person may mean.</summary>
internal sealed class KnownNames(NpgsqlDataSource db, QueueCatalog catalog, JobKinds kinds, RunSearcher searcher)
{
    /// <exception cref="KeelbackException">KB1703: no such queue. KB1704: no such kind.</exception>
    public async Task CheckAsync(string? queue, string? kind, CancellationToken ct)
    {
        if (queue is not null && await QueueNames.AllAsync(db, catalog.App, ct) is var queues && !queues.ContainsKey(queue))
            throw OpsErrors.NoSuchQueue(queue, queues.Keys);
        if (kind is null || kinds.Find(kind) is not null) return;

        var seen = await searcher.KindsAsync(ct);
        if (!seen.Contains(kind)) throw OpsErrors.NoSuchKind(kind, seen.Concat(kinds.Names));
    }
}
