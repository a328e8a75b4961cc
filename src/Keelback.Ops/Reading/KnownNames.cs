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
        if (kind is not null && await OtherKindsAsync(kind, ct) is { } others) throw OpsErrors.NoSuchKind(kind, others);
    }

    /// <summary>Null: the kind is known; else those that are.</summary>
    public async Task<IEnumerable<string>?> OtherKindsAsync(string kind, CancellationToken ct)
    {
        if (kinds.Find(kind) is not null || await searcher.HasKindAsync(kind, ct)) return null;

        return (await searcher.KindsAsync(ct)).Concat(kinds.Names);
    }
}
