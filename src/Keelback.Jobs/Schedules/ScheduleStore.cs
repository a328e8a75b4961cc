using Npgsql;
using NpgsqlTypes;

namespace Keelback.Jobs;

/// <summary>The statements on schedules that no tick needs. Each on a connection of the caller's.</summary>
internal sealed class ScheduleStore(QueueCatalog queues)
{
    public async Task<List<ScheduleRow>> AllAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select {ScheduleRow.Columns} from keelback.schedule where app = $1 order by name", connection);
        command.Parameters.AddWithValue(queues.App);
        return await ScheduleRow.ReadAsync(command, ct);
    }

    /// <exception cref="KeelbackException">KB1289.</exception>
    public async Task<ScheduleRow?> FindAsync(NpgsqlConnection connection, string name, bool locked, CancellationToken ct)
    {
        StorableText.Check("name", name);
        await using var command = new NpgsqlCommand(
            $"select {ScheduleRow.Columns} from keelback.schedule where app = $1 and name = $2{(locked ? " for update" : "")}", connection);
        command.Parameters.AddWithValue(queues.App);
        command.Parameters.AddWithValue(name);
        return (await ScheduleRow.ReadAsync(command, ct)).SingleOrDefault();
    }

    /// <exception cref="KeelbackException">KB1260, with the nearest name.</exception>
    public async Task<ScheduleRow> GetAsync(NpgsqlConnection connection, string name, bool locked, CancellationToken ct) =>
        await FindAsync(connection, name, locked, ct)
        ?? throw JobErrors.NoSuchSchedule(name, NearestName.Of(name, (await AllAsync(connection, ct)).Select(row => row.Name)));

    public static async Task<DateTimeOffset> NowAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select keelback.clock()", connection);
        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(ct))!);
    }

    /// <summary>False: the name is taken.</summary>
    public async Task<bool> InsertAsync(NpgsqlConnection connection, ScheduleRow row, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            insert into keelback.schedule (app, name, program, definition, code, live, kinds, anchor, next_at, fire_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            on conflict (app, name) do nothing
            """, connection);
        var next = row.NextFromNow();
        var p = command.Parameters;
        p.AddWithValue(queues.App);
        p.AddWithValue(row.Name);
        p.Add(Nullable(row.Program, NpgsqlDbType.Text));
        p.Add(Nullable(row.Definition.ToJson(), NpgsqlDbType.Jsonb));
        p.Add(Nullable(row.Code?.ToJson(), NpgsqlDbType.Jsonb));
        p.AddWithValue(row.Definition.IsLive);
        p.AddWithValue(row.Definition.Call.Kinds.ToArray());
        p.AddWithValue(row.Anchor.UtcDateTime);
        p.Add(At(next));
        p.Add(At(row.Fires(next)));
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>Writes a row that was read and locked in this transaction.</summary>
    public static async Task UpdateAsync(NpgsqlConnection connection, ScheduleRow row, DateTimeOffset? next, CancellationToken ct)
    {
        if (!row.Ticks) row = row with { QueuedAt = null, FailedAt = null, RetryAt = null, Tries = 0 };
        await using var command = new NpgsqlCommand(
            """
            with dropped as (
                update keelback.tick set outcome = 5 where schedule = $1 and outcome = 1 and $13 is null
            )
            update keelback.schedule
            set program = $2, definition = $3, code = $4, overridden = $5, live = $6, kinds = $7, anchor = $8, paused = $9,
                retired_at = case when $10 then coalesce(retired_at, keelback.clock()) end, next_at = $11, fire_at = $12, queued_at = $13,
                failed_at = $14, retry_at = $15, tries = $16, last_at = $17, covered_at = $18
            where id = $1
            """, connection);
        var p = command.Parameters;
        p.AddWithValue(row.Id);
        p.Add(Nullable(row.Program, NpgsqlDbType.Text));
        p.Add(Nullable(row.Definition.ToJson(), NpgsqlDbType.Jsonb));
        p.Add(Nullable(row.Code?.ToJson(), NpgsqlDbType.Jsonb));
        p.AddWithValue(row.IsOverridden);
        p.AddWithValue(row.Definition.IsLive);
        p.AddWithValue(row.Definition.Call.Kinds.ToArray());
        p.AddWithValue(row.Anchor.UtcDateTime);
        p.AddWithValue(row.IsPaused);
        p.AddWithValue(row.IsRetired);
        p.Add(At(next));
        p.Add(At(row.Fires(next)));
        p.Add(At(row.QueuedAt));
        p.Add(At(row.FailedAt));
        p.Add(At(row.RetryAt));
        p.AddWithValue(row.Tries);
        p.Add(At(row.LastAt));
        p.Add(At(row.CoveredAt));
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task DeleteAsync(NpgsqlConnection connection, int id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "with ticks as (delete from keelback.tick where schedule = $1) delete from keelback.schedule where id = $1", connection);
        command.Parameters.AddWithValue(id);
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task<List<JobTick>> HistoryAsync(NpgsqlConnection connection, ScheduleRow schedule, int count, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select at, outcome, run_id, decided_at, until, count, error from keelback.tick where schedule = $1 order by at desc limit $2", connection);
        command.Parameters.AddWithValue(schedule.Id);
        command.Parameters.AddWithValue(count);

        var (ticks, source) = (new List<JobTick>(), schedule.Source);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            ticks.Add(new(
                source.InZone(row.GetFieldValue<DateTimeOffset>(0)), (JobTickOutcome)row.GetInt16(1), row.IsDBNull(2) ? null : row.GetInt64(2),
                row.GetFieldValue<DateTimeOffset>(3), row.IsDBNull(4) ? null : source.InZone(row.GetFieldValue<DateTimeOffset>(4)),
                row.IsDBNull(5) ? null : row.GetInt32(5), row.IsDBNull(6) ? null : row.GetString(6)));

        return ticks;
    }

    /// <summary>A run that was asked for by hand.</summary>
    public static async Task NoteAsync(NpgsqlConnection connection, int schedule, DateTimeOffset at, long run, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "insert into keelback.tick (schedule, at, outcome, run_id) values ($1, $2, 6, $3) on conflict do nothing", connection);
        command.Parameters.AddWithValue(schedule);
        command.Parameters.AddWithValue(at.UtcDateTime);
        command.Parameters.AddWithValue(run);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter At(DateTimeOffset? at) => Nullable(at?.UtcDateTime, NpgsqlDbType.TimestampTz);

    private static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
