using System.Text.Json;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>How runs have ended that a statement answered by their ids alone, as events, in the order of the ids.</summary>
/// <remarks>Only the app's own: a timer ends any app's. One that is open again by now, or gone, is left out.</remarks>
internal static class EndStatement
{
    public const string Sql =
        """
        select r.id, r.kind, r.state, coalesce(r.attempt, 0::smallint), r.error
        from unnest($1) with ordinality u (id, ord)
        cross join lateral (select id, kind, queue, state, attempt, error from keelback.run where id = u.id and state <> 0 limit 1) r
        join keelback.queue q on q.id = r.queue and q.app = $2
        order by u.ord
        """;

    public static async Task<List<JobRunEvent>> RunAsync(NpgsqlDataSource db, string app, long[] runs, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(Sql, Statement.P(runs), Statement.P(app)));

        var ends = new List<JobRunEvent>(runs.Length);
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var error = row.IsDBNull(4) ? null : JsonSerializer.Deserialize<JobError>(row.GetFieldValue<byte[]>(4), JobJson.Options);
            ends.Add(Of(row.GetInt64(0), row.GetString(1), row.GetInt16(2), row.GetInt16(3), error));
        }

        return ends;
    }

    // Only a success and a cancellation have no error.
    private static JobRunEvent Of(long run, string kind, short state, int attempt, JobError? error) => state switch
    {
        1 => new JobSucceeded(run, kind, attempt),
        3 => new JobCancelled(run, kind, error),
        4 => new JobUpstreamFailed(run, kind, error!),
        5 => new JobQuarantined(run, kind, attempt, error!),
        6 => new JobExpired(run, kind, error!),
        7 => new JobSkipped(run, kind, error!),
        _ => new JobFailed(run, kind, attempt, error!),
    };
}
