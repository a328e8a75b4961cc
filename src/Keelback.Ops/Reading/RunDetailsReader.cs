using System.Text.Encodings.Web;
using System.Text.Json;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Reads one run, by key.</summary>
internal sealed class RunDetailsReader(NpgsqlDataSource db, QueueCatalog catalog)
{
    private static readonly JsonSerializerOptions s_pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The run alone.</summary>
    public async Task<RunDetails?> FindAsync(long id, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        return await HeadAsync(connection, id, ct);
    }

    /// <summary>The run with its attempts, its log and its graph.</summary>
    public async Task<RunDetails?> WholeAsync(long id, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        if (await HeadAsync(connection, id, ct) is not { } run) return null;

        var graph = await GraphReader.FindAsync(connection, id, catalog.App, ct);
        return run with
        {
            Attempts = await RunReader.AttemptsAsync(connection, id, catalog.App, ct),
            Log = await RunReader.LogAsync(connection, id, catalog.App, ct),
            Graph = graph is { Nodes.Count: > 1 } ? graph : null,
        };
    }

    private async Task<RunDetails?> HeadAsync(NpgsqlConnection connection, long id, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select keelback.clock(), r.kind, q.name, {RunStates.Sql}, r.priority::int, coalesce(r.attempt, c.attempt, a.n, 0)::int, r.max_attempts::int,
                   r.timeout_ms, keelback.run_enqueued_at(r.id), r.due_at, coalesce(c.at, r.started_at), r.finished_at, a.retry_at,
                   r.input, r.output, r.error, r.trace, r.root, r.parent, r.tenant, coalesce(r.limits, '{"{}"}'), r.expires_at,
                   array(select tag from keelback.tag where run_id = r.id order by tag), w.name || ' #' || w.id, {RunStates.Limit},
                   (select data from keelback.progress p where p.run_id = r.id), r.replaced_by, r.result_ms,
                   array(select distinct rtrim(p, '[]!?') from (select distinct p from unnest(r.params) p) u where p <> '' order by 1)
            from keelback.run r
            join keelback.queue q on q.id = r.queue and q.app = $2
            {RunStates.Joins}
            left join keelback.worker w on w.id = c.worker_id and w.epoch = c.epoch
            where r.id = $1
            """, connection);
        command.Parameters.AddWithValue(id);
        command.Parameters.AddWithValue(catalog.App);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct)) return null;

        return new(
            row.GetFieldValue<DateTimeOffset>(0), id, row.GetString(1), row.GetString(2), Enum.Parse<JobRunState>(row.GetString(3)),
            row.GetInt32(4), row.GetInt32(5), row.GetInt32(6), row.IsDBNull(7) ? null : TimeSpan.FromMilliseconds(row.GetInt32(7)),
            row.GetFieldValue<DateTimeOffset>(8), Value<DateTimeOffset>(row, 9), Value<DateTimeOffset>(row, 10), Value<DateTimeOffset>(row, 11),
            Value<DateTimeOffset>(row, 12), Pretty(PayloadVersion.Hide(SecretValues.Hide(row.GetString(13)))), row.IsDBNull(14) ? null : Pretty(SecretValues.Hide(row.GetString(14))),
            row.IsDBNull(15) ? null : JsonSerializer.Deserialize<JobError>(row.GetString(15), JobJson.Options),
            Text(row, 16), Value<long>(row, 17), Value<long>(row, 18), Text(row, 19), row.GetFieldValue<string[]>(20), Value<DateTimeOffset>(row, 21),
            row.GetFieldValue<string[]>(22), Text(row, 23), row.IsDBNull(25) ? null : Pretty(SecretValues.Hide(row.GetString(25))))
        {
            WaitsFor = Text(row, 24),
            ReplacedBy = Value<long>(row, 26),
            Bound = row.GetFieldValue<string[]>(28),
            ResultKept = row.IsDBNull(27) ? null : TimeSpan.FromMilliseconds(row.GetInt64(27)),
        };
    }

    internal static string Pretty(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, s_pretty);
    }

    private static T? Value<T>(NpgsqlDataReader row, int column) where T : struct => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
