using System.Text.Json;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>The workers of the app, wherever they run: what each does now, and orders that each or all obey within a second.</summary>
/// <remarks>
/// Orders are rows. One to all holds for workers that start later too, but for a stop; one to a worker until its process ends, whose id no other gets.
/// The later of two orders counts, to one worker or to all.
/// </remarks>
public sealed class JobWorkers
{
    private const short Pause = 0, Concurrency = 1, Stop = 2;

    private readonly NpgsqlDataSource _db;
    private readonly QueueCatalog _queues;
    private readonly JobWakes _wakes;

    internal JobWorkers(NpgsqlDataSource db, QueueCatalog queues, JobWakes wakes) => (_db, _queues, _wakes) = (db, queues, wakes);

    /// <summary>Every worker whose lease is live, by its id, with what it runs. What it says of itself is up to 5 s old; what it runs is not.</summary>
    public async Task<IReadOnlyList<JobWorker>> ListAsync(CancellationToken ct = default)
    {
        await using var connection = await _db.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Statement.Of(
                    """
                    select c.worker_id, c.run_id, r.kind, c.attempt, c.at
                    from keelback.worker w
                    join keelback.claim c on c.worker_id = w.id and c.epoch = w.epoch
                    cross join lateral (select kind from keelback.run where id = c.run_id limit 1) r
                    where w.app = $1
                    order by c.at
                    """, Statement.P(_queues.App)),
                Statement.Of(
                    """
                    select id, name, queues, started_at, lease_until, info from keelback.worker
                    where app = $1 and lease_until > keelback.clock() order by id
                    """, Statement.P(_queues.App)),
            },
        };

        await using var row = await batch.ExecuteReaderAsync(ct);
        var runs = new List<(int Worker, JobWorkerRun Run)>();
        while (await row.ReadAsync(ct))
            runs.Add((row.GetInt32(0), new(row.GetInt64(1), row.GetString(2), row.GetInt16(3), row.GetFieldValue<DateTimeOffset>(4))));

        await row.NextResultAsync(ct);
        var byWorker = runs.ToLookup(r => r.Worker, r => r.Run);
        var workers = new List<JobWorker>();
        while (await row.ReadAsync(ct))
        {
            var report = JsonSerializer.Deserialize<WorkerReport>(row.GetFieldValue<byte[]>(5), JobJson.Options)!;
            workers.Add(new(row.GetInt32(0), row.GetString(1), row.GetFieldValue<string[]>(2), row.GetFieldValue<DateTimeOffset>(3), row.GetFieldValue<DateTimeOffset>(4))
            {
                Concurrency = report.Concurrency,
                Slots = report.Slots,
                Abandoned = report.Abandoned,
                Ended = report.Ended,
                IsPaused = report.IsPaused,
                IsStopping = report.IsStopping,
                Memory = report.Memory,
                Version = report.Version,
                Runs = [.. byWorker[row.GetInt32(0)]],
            });
        }

        return workers;
    }

    /// <summary>No new job until <see cref="ResumeAsync"/>; running ones go on. Without a worker: all, those included that start later.</summary>
    /// <returns>False: there is no such worker.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A worker's id below 1.</exception>
    public Task<bool> PauseAsync(int? worker = null, CancellationToken ct = default) => OrderAsync(worker, Pause, 1, ct);

    /// <summary>Takes jobs again.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<bool> ResumeAsync(int? worker = null, CancellationToken ct = default) => OrderAsync(worker, Pause, 0, ct);

    /// <summary>So many jobs at once, 1 to 1,000, as far as the worker's connection pool allows; null: as it is configured. Fewer than run now: the rest ends first.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<bool> ScaleAsync(int? concurrency, int? worker = null, CancellationToken ct = default)
    {
        if (concurrency is { } slots)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1, nameof(concurrency));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(slots, 1000, nameof(concurrency));
        }

        return OrderAsync(worker, Concurrency, concurrency, ct);
    }

    /// <summary>
    /// Takes no new job, lets the running ones end, and leaves the list of workers; at once: cancels them and hands them back with their attempts,
    /// also those that still run <see cref="JobsOptions.AbandonAfter"/> later.
    /// Only for workers that run now. The process ends too where <see cref="JobsOptions.StopHost"/> says so, as in the <c>worker</c> command.
    /// </summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<bool> StopAsync(int? worker = null, bool atOnce = false, CancellationToken ct = default) => OrderAsync(worker, Stop, atOnce ? 2 : 1, ct);

    private async Task<bool> OrderAsync(int? worker, short what, int? value, CancellationToken ct)
    {
        if (worker is { } id) ArgumentOutOfRangeException.ThrowIfLessThan(id, 1, nameof(worker)); // 0, a number that nobody has set, would be all

        await using var command = _db.CreateCommand(
            """
            insert into keelback.worker_order (app, worker_id, what, value, at)
            select $1, $2, $3, $4, keelback.clock()
            where $2 = 0 or exists (select from keelback.worker where id = $2 and app = $1 and lease_until > keelback.clock())
            on conflict (app, worker_id, what) do update set value = excluded.value, at = excluded.at
            """);
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(worker ?? 0);
        command.Parameters.AddWithValue(what);
        command.Parameters.Add(new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
        var done = await command.ExecuteNonQueryAsync(ct) == 1;
        _wakes.Orders();
        return done;
    }
}

/// <summary>A worker as it is now.</summary>
/// <param name="Id">Its key; never used again.</param>
/// <param name="Name">Machine and process.</param>
/// <param name="Queues">The queues it takes jobs from; none: all of the app's.</param>
/// <param name="StartedAt">By the database's clock.</param>
/// <param name="LeaseUntil">Until when it counts as alive without another heartbeat.</param>
public sealed record JobWorker(int Id, string Name, IReadOnlyList<string> Queues, DateTimeOffset StartedAt, DateTimeOffset LeaseUntil)
{
    /// <summary>The most that it runs at once, as configured or asked for.</summary>
    public int Concurrency { get; init; }

    /// <summary>How many it runs at once now, by its load; zero while paused.</summary>
    public int Slots { get; init; }

    /// <summary>Attempts that did not stop when they were told to, and still use a thread or memory.</summary>
    public int Abandoned { get; init; }

    /// <summary>Attempts that it has ended.</summary>
    public long Ended { get; init; }

    /// <summary>Takes no new job until it is resumed.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Takes no new job any more.</summary>
    public bool IsStopping { get; init; }

    /// <summary>Its process's working set in bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Of the app.</summary>
    public string? Version { get; init; }

    /// <summary>What it runs now, the oldest first.</summary>
    public IReadOnlyList<JobWorkerRun> Runs { get; init; } = [];
}

/// <summary>An attempt that a worker runs.</summary>
/// <param name="RunId">Its run.</param>
/// <param name="Kind">Which job.</param>
/// <param name="Attempt">From 1.</param>
/// <param name="Since">By the database's clock.</param>
public sealed record JobWorkerRun(long RunId, string Kind, int Attempt, DateTimeOffset Since);
