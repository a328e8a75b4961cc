using Npgsql;

namespace Keelback.Jobs;

/// <summary>Pauses, resumes and scales queues while the app runs, from any process. A singleton service.</summary>
/// <remarks>A queue exists from the first call that goes to it, or the first worker that is told of it. Workers follow at once where a wake-up reaches them, else within a second; a pause holds at once, for all of them.</remarks>
public sealed class JobQueues
{
    private readonly NpgsqlDataSource _db;
    private readonly QueueCatalog _queues;
    private readonly LimitLoop _loop;
    private readonly JobWakes _wakes;

    internal JobQueues(NpgsqlDataSource db, QueueCatalog queues, LimitLoop loop, JobWakes wakes) =>
        (_db, _queues, _loop, _wakes) = (db, queues, loop, wakes);

    /// <summary>Starts nothing of a queue until it is resumed; what runs or was just claimed goes on, and what is enqueued from now on waits.</summary>
    /// <exception cref="KeelbackException">KB1228: there is no such queue. KB1289: none can have such a name.</exception>
    public Task PauseAsync(string queue, CancellationToken ct = default) => SetAsync("paused = true", queue, null, ct);

    /// <summary>Starts jobs of a queue again.</summary>
    /// <exception cref="KeelbackException">KB1228: there is no such queue. KB1289: none can have such a name.</exception>
    public Task ResumeAsync(string queue, CancellationToken ct = default) => SetAsync("paused = false", queue, null, ct);

    /// <summary>How many jobs of a queue run at once, over all workers, 1 or more; null: as many as the workers' concurrency allows. What runs goes on and counts; so does what a worker that has not heard yet starts meanwhile.</summary>
    /// <exception cref="KeelbackException">KB1228: there is no such queue. KB1289: none can have such a name. KB1229: fewer than one slot.</exception>
    public Task SetSlotsAsync(string queue, int? slots, CancellationToken ct = default) =>
        slots < 1 ? throw JobErrors.BadSlots(queue, slots.Value) : SetAsync("slots = $3", queue, slots, ct);

    /// <summary>Every queue of the app, by name.</summary>
    public async Task<IReadOnlyList<JobQueueState>> ListAsync(CancellationToken ct = default)
    {
        await using var command = _db.CreateCommand(
            """
            select q.name, q.paused, q.slots,
                   case when q.slots is not null then (
                       select count(*)::int from keelback.bucket b
                       join keelback.slot s on s.bucket = b.id
                       join keelback.claim c on c.run_id = s.run_id and c.token = s.token
                       where b.app = q.app and b.key = '#queue:' || q.name) end
            from keelback.queue q where q.app = $1 order by q.name
            """);
        command.Parameters.AddWithValue(_queues.App);

        var all = new List<JobQueueState>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            all.Add(new(row.GetString(0), row.GetBoolean(1), row.IsDBNull(2) ? null : row.GetInt32(2), row.IsDBNull(3) ? null : row.GetInt32(3)));

        return all;
    }

    private async Task SetAsync(string change, string queue, int? slots, CancellationToken ct)
    {
        StorableText.Check(nameof(queue), queue);
        await using var command = _db.CreateCommand($"update keelback.queue set {change} where app = $1 and name = $2");
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(queue);
        if (change.Contains('$', StringComparison.Ordinal)) command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = slots });

        if (await command.ExecuteNonQueryAsync(ct) == 0)
            throw JobErrors.NoSuchQueue(queue, NearestName.Of(queue, (await _queues.AllAsync(ct)).Select(q => q.Name)));

        _loop.LookNow();
        _wakes.LookAgain();
    }
}

/// <summary>A queue as it is now.</summary>
/// <param name="Name">What calls and workers name it by.</param>
/// <param name="IsPaused">Whether nothing of it starts.</param>
/// <param name="Slots">How many of it run at once, over all workers; null: no limit of its own.</param>
/// <param name="SlotsInUse">How many of the slots running attempts hold; null: it has none.</param>
public sealed record JobQueueState(string Name, bool IsPaused, int? Slots, int? SlotsInUse);
