using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Reads runs and their attempts for people and callers; nothing here is on the hot path.</summary>
internal static class RunReader
{
    /// <summary>The stored state, and for open runs the place that holds them.</summary>
    private const string Sql =
        """
        select r.id, r.kind, q.name,
               case r.state
                   when 1 then 'Succeeded' when 2 then 'Failed' when 3 then 'Cancelled' when 4 then 'UpstreamFailed' when 5 then 'Quarantined' when 6 then 'Expired' when 7 then 'Skipped'
                   else case
                       when c.run_id is not null then 'Running'
                       when exists (select from keelback.wait w where w.run_id = r.id) then 'Blocked'
                       when exists (select from keelback.parked p where p.run_id = r.id) then 'Limited'
                       when greatest(a.retry_at, r.due_at) > keelback.clock() then 'Scheduled'
                       else 'Ready' end
               end,
               coalesce(r.attempt, c.attempt, a.n, 0)::int,
               keelback.run_enqueued_at(r.id), r.finished_at, r.output, r.error, p.data, p.at, r.result_ms
        from keelback.run r
        join keelback.queue q on q.id = r.queue and q.app = $2
        left join keelback.claim c on c.run_id = r.id
        left join keelback.progress p on p.run_id = r.id
        left join lateral (select n, retry_at from keelback.attempt where run_id = r.id order by n desc limit 1) a on true
        where r.id = $1
        """;

    public static async Task<JobRun?> FindAsync(NpgsqlConnection connection, long id, string app, JobSecrets secrets, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(app);

        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct)) return null;

        return new(row.GetInt64(0), row.GetString(1), row.GetString(2), Enum.Parse<JobRunState>(row.GetString(3)), row.GetInt32(4),
            row.GetFieldValue<DateTimeOffset>(5), row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6),
            row.IsDBNull(7) ? null : Json<JsonElement>(row, 7), row.IsDBNull(8) ? null : Json<JobError>(row, 8))
        {
            Progress = row.IsDBNull(9) ? null : Json<JsonElement>(row, 9),
            ReportedAt = row.IsDBNull(10) ? null : row.GetFieldValue<DateTimeOffset>(10),
            Secrets = secrets,
            ResultKept = row.IsDBNull(11) ? null : TimeSpan.FromMilliseconds(row.GetInt64(11)),
        };
    }

    public static async Task<IReadOnlyList<JobAttempt>> AttemptsAsync(NpgsqlConnection connection, long id, string app, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select a.n, a.outcome, a.started_at, a.ended_at, a.error, a.retry_at
            from keelback.attempt a
            where a.run_id = $1
              and exists (select from keelback.run r join keelback.queue q on q.id = r.queue where r.id = $1 and q.app = $2)
            order by a.n
            """, connection);
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(app);

        var attempts = new List<JobAttempt>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            attempts.Add(new(row.GetInt16(0), (JobAttemptOutcome)row.GetInt16(1), row.GetFieldValue<DateTimeOffset>(2),
                row.GetFieldValue<DateTimeOffset>(3), row.IsDBNull(4) ? null : Json<JobError>(row, 4),
                row.IsDBNull(5) ? null : row.GetFieldValue<DateTimeOffset>(5)));

        return attempts;
    }

    public static async Task<IReadOnlyList<RunLogLine>> LogAsync(NpgsqlConnection connection, long id, string app, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select attempt, at, level, category, message from keelback.log
            where run_id = $1
              and exists (select from keelback.run r join keelback.queue q on q.id = r.queue where r.id = $1 and q.app = $2)
            order by attempt, n
            """, connection);
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(app);

        var lines = new List<RunLogLine>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            lines.Add(new(row.GetInt16(0), row.GetFieldValue<DateTimeOffset>(1), (LogLevel)row.GetInt16(2), row.GetString(3), row.GetString(4)));

        return lines;
    }

    private static T Json<T>(NpgsqlDataReader row, int column) =>
        JsonSerializer.Deserialize<T>(row.GetFieldValue<byte[]>(column), JobJson.Options)!;
}
