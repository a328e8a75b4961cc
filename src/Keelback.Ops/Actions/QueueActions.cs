using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>What can be done to a queue, each in the audit.</summary>
internal sealed class QueueActions(NpgsqlDataSource db, QueueCatalog catalog, JobWakes wakes, AuditWriter audit)
{
    /// <summary>From now on no run of it is claimed, by any worker; or claimed again. What runs goes on.</summary>
    /// <exception cref="KeelbackException">KB1703: there is no such queue.</exception>
    public async Task<ActionResult> PauseAsync(string name, bool paused, Actor actor, CancellationToken ct)
    {
        var names = await QueueNames.AllAsync(db, catalog.App, ct);
        if (!names.TryGetValue(name, out var id)) throw OpsErrors.NoSuchQueue(name, names.Keys);

        return await audit.AuditAsync(actor, paused ? "pause" : "resume", $"queue {name}", null, async () =>
        {
            await using var command = db.CreateCommand("update keelback.queue set paused = $2 where id = $1 and paused <> $2");
            command.Parameters.AddWithValue(id);
            command.Parameters.AddWithValue(paused);
            var changed = await command.ExecuteNonQueryAsync(ct) > 0;
            wakes.Workers();
            return new(changed, changed ? paused ? "paused" : "resumed" : paused ? "was paused already" : "was not paused");
        }, ct);
    }
}
