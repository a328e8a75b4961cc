using System.Reflection;
using System.Text.Json;
using Keelback.Postgres;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Reads what is asked of this worker and what may not run, and tells how the worker is; each second, and when woken.</summary>
internal sealed class WorkerOrders(
    NpgsqlDataSource db, Worker worker, Revoked revoked, QueueCatalog queues, IHostApplicationLifetime host, IHostEnvironment environment,
    IOptions<JobsOptions> configured, TimeProvider clock, ILogger<WorkerOrders> log)
    : PollingService(clock, log)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_report = TimeSpan.FromSeconds(5);

    private readonly JobsOptions _options = configured.Value;
    private readonly TimeProvider _clock = clock;
    private readonly string? _version = VersionOf(environment.ApplicationName);
    private WorkerReport? _told;
    private long _toldAt;
    private string? _recycling;
    private long? _stopsSince;

    /// <summary>Before the worker's first claim: what all workers were told, and what may not run.</summary>
    public async Task ReadAsync(CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await ReadRevocationsAsync(connection, ct);
        var (paused, concurrency, _) = await ReadOrdersAsync(connection, id: 0, ct);
        worker.Slots.Order(paused, concurrency);
    }

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        if (worker.Identity is not { } identity) return s_interval;

        await using var connection = await db.OpenConnectionAsync(stopping);
        await ReadRevocationsAsync(connection, stopping);
        var (paused, concurrency, stop) = await ReadOrdersAsync(connection, identity.Id, stopping);
        if (worker.Slots.Order(paused, concurrency))
        {
            Log.WorkerOrdered(log, paused, worker.Slots.Most);
            worker.Wake();
        }

        await TellAsync(connection, identity, stopping);
        await StopIfAskedAsync(stop);
        return s_interval;
    }

    private async Task ReadRevocationsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select what, value, reason from keelback.revocation where app = $1 and (until is null or until > keelback.clock())", connection);
        command.Parameters.AddWithValue(queues.App);

        var (kinds, tags) = (new Dictionary<string, string?>(StringComparer.Ordinal), new Dictionary<string, string?>(StringComparer.Ordinal));
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) (row.GetInt16(0) == 2 ? kinds : tags)[row.GetString(1)] = row.IsDBNull(2) ? null : row.GetString(2);

        revoked.Set(kinds, tags);
    }

    private async Task<(bool Paused, int? Concurrency, int Stop)> ReadOrdersAsync(NpgsqlConnection connection, int id, CancellationToken ct)
    {
        // Orders for workers that are gone for good go with them; one that only lost its lease comes back within minutes.
        await using var command = new NpgsqlCommand(
            """
            with ghosts as (
                delete from keelback.worker_order o
                where worker_id <> 0 and at < keelback.clock() - interval '1 h' and not exists (select from keelback.worker w where w.id = o.worker_id)
            )
            select distinct on (o.what) o.what, o.value
            from keelback.worker_order o
            where o.app = $1 and o.worker_id in (0, $2)
              and (o.what <> 2 or o.at > (select started_at from keelback.worker where id = $2))
            order by o.what, o.at desc
            """, connection);
        command.Parameters.AddWithValue(queues.App);
        command.Parameters.AddWithValue(id);

        var (paused, concurrency, stop) = (false, (int?)null, 0);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            int? value = row.IsDBNull(1) ? null : row.GetInt32(1);
            switch (row.GetInt16(0))
            {
                case 0: paused = value == 1; break;
                case 1: concurrency = value; break;
                case 2: stop = value ?? 0; break;
            }
        }

        return (paused, concurrency, stop);
    }

    private async Task TellAsync(NpgsqlConnection connection, WorkerIdentity identity, CancellationToken ct)
    {
        var report = worker.Report() with { Version = _version, Memory = Environment.WorkingSet };
        var isNews = _told is null || report with { Memory = _told.Memory, Ended = _told.Ended } != _told;
        if (!isNews && _clock.GetElapsedTime(_toldAt) < s_report) return;

        await using var command = new NpgsqlCommand("update keelback.worker set info = $3 where id = $1 and epoch = $2", connection);
        command.Parameters.AddWithValue(identity.Id);
        command.Parameters.AddWithValue(identity.Epoch);
        command.Parameters.AddWithValue(NpgsqlTypes.NpgsqlDbType.Jsonb, JsonSerializer.SerializeToUtf8Bytes(report, JobJson.Options));
        await command.ExecuteNonQueryAsync(ct);
        (_told, _toldAt) = (report, _clock.GetTimestamp());
    }

    private async Task StopIfAskedAsync(int stop)
    {
        _recycling ??= RecycleReason(); // for good: memory that is free again does not bring a draining worker back
        if (stop == 0 && _recycling is null) return;

        if (_stopsSince is null)
        {
            _stopsSince = _clock.GetTimestamp();
            Log.WorkerAskedToStop(log, _recycling ?? (stop == 2 ? "asked to, at once" : "asked to"));
        }

        // An order to stop waits for as long as the jobs take, and who gave it may hurry it; recycling nobody watches.
        var isOver = _recycling is not null && _clock.GetElapsedTime(_stopsSince.Value) >= _options.ShutdownTimeout;
        worker.Drain(atOnce: stop == 2 || isOver);
        if (!worker.IsEmpty) return;

        await worker.StopAsync(CancellationToken.None); // it is empty; a host that stops meanwhile must not cut it short
        if (_recycling is not null) Environment.ExitCode = _options.RecycleExitCode;
        if (_recycling is not null || _options.StopHost) host.StopApplication();
    }

    private string? RecycleReason() =>
        _options.RecycleAfterJobs is { } jobs && worker.Ended >= jobs ? $"it has run {worker.Ended} jobs" :
        _options.RecycleAboveMemory is { } bytes && Environment.WorkingSet > bytes ? $"it uses {Environment.WorkingSet / (1024 * 1024)} MB" : null;

    private static string? VersionOf(string application)
    {
        try
        {
            return Assembly.Load(new AssemblyName(application)).GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        }
        catch (Exception e) when (e is FileNotFoundException or ArgumentException or FileLoadException)
        {
            return null; // an application name that was set by hand
        }
    }
}
