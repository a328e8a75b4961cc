using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Brings the rows in line with the code, at start.</summary>
/// <remarks>
/// The node that started last is right. A schedule that the code of a node that runs jobs has no more is retired: it keeps its row and its history, and
/// comes back when a node starts whose code has it. What was overridden at run time stays in force, with the code's word kept beside it.
/// </remarks>
internal sealed class ScheduleSync(
    JobConnections connections, ScheduleStore store, ScheduleCatalog catalog, ScheduleCalls calls, QueueCatalog queues,
    IOptions<JobsOptions> options, ILogger<ScheduleSync> log)
{
    /// <exception cref="KeelbackException">The first mistake in a schedule of the code.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        if (catalog.Mistakes is [var mistake, ..]) throw mistake;

        await using var connection = await connections.OpenAsync(ct);
        await connection.AtomicallyAsync(async c =>
        {
            await using (var gate = new NpgsqlCommand("select pg_advisory_xact_lock(hashtextextended('keelback.schedules ' || $1, 0))", c))
            {
                gate.Parameters.AddWithValue(queues.App);
                await gate.ExecuteNonQueryAsync(ct);
            }

            await InLineAsync(c, ct);
            return true;
        }, ct);
    }

    private async Task InLineAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var rows = (await store.AllAsync(connection, ct)).ToDictionary(row => row.Name, StringComparer.Ordinal);
        foreach (var schedule in catalog.All)
        {
            if (rows.Remove(schedule.Name))
            {
                // Read again under its lock: a tick may have moved it on.
                var row = await store.GetAsync(connection, schedule.Name, locked: true, ct);
                await AdoptAsync(connection, row, calls.Define(schedule, row.Code?.Call, row.Now), ct);
                continue;
            }

            var now = await ScheduleStore.NowAsync(connection, ct);
            var code = calls.Define(schedule, known: null, now);
            await store.InsertAsync(connection, new(0, schedule.Name, code, now) { Program = catalog.Program, Code = code, Now = now }, ct);
            Log.ScheduleAdded(log, schedule.Name, schedule.Trigger);
        }

        if (!options.Value.RunWorker) return; // it fires none, and may well be composed without them
        foreach (var gone in rows.Values.Where(row => row.Program == catalog.Program && !row.IsRetired))
        {
            var row = await store.GetAsync(connection, gone.Name, locked: true, ct);
            await ScheduleStore.UpdateAsync(connection, row with { IsRetired = true }, next: null, ct);
            Log.ScheduleRetired(log, row.Name);
        }
    }

    private async Task AdoptAsync(NpgsqlConnection connection, ScheduleRow row, ScheduleDefinition code, CancellationToken ct)
    {
        if (!row.IsRetired && row.Program == catalog.Program && row.Code?.IsAs(code) == true) return;

        // One that was added at run time under this name was meant as it is: the code's waits behind it.
        var overridden = row.IsOverridden || row.Program is null;
        var definition = overridden ? row.Definition.WithCallOf(code) : code;
        var adopted = row with { Program = catalog.Program, Code = code, IsRetired = false, IsOverridden = overridden, Definition = definition };
        var sameTimes = !row.IsRetired && adopted.Definition.TicksAs(row.Definition);
        if (!sameTimes) adopted = adopted.From(row.Now);

        await ScheduleStore.UpdateAsync(connection, adopted, sameTimes ? row.NextAt : adopted.NextFromNow(), ct);
        Log.ScheduleChanged(log, row.Name, adopted.Definition.Trigger, overridden);
    }
}
