using Npgsql;

namespace Keelback.Jobs;

/// <summary>How long the first run of each lane has waited since it was due, in seconds: not before its next attempt was to come, nor before what it waits for had ended.</summary>
internal static class AgeStatement
{
    public const string Sql =
        """
        select lane.queue, lane.priority::smallint,
               max(extract(epoch from keelback.clock() - greatest(keelback.run_enqueued_at(head.run_id), r.due_at, retry.at, above.at)))::float8
        from (select queue, priority from unnest($1) queue, generate_series(0, 9) priority) lane
        cross join lateral unnest(array[lane.queue, abs(lane.queue)]) part (queue) -- those without a tenant lie beside those of tenants
        cross join lateral (
            select run_id from keelback.ready where queue = part.queue and priority = lane.priority order by seq limit 1) head
        cross join lateral (select due_at, ups from keelback.run where id = head.run_id limit 1) r
        cross join lateral (select max(coalesce(retry_at, ended_at)) as at from keelback.attempt where run_id = head.run_id) retry
        cross join lateral (
            -- Of the last thousand, which is near enough where there are more: they end about in their order.
            select max(u.finished_at) as at from unnest(r.ups[cardinality(r.ups) - 999:]) i (id)
            cross join lateral (select finished_at from keelback.run where id = i.id limit 1) u) above
        group by 1, 2
        """;

    /// <summary>By how many levels of priority each lane counts as more urgent.</summary>
    public static async Task<Dictionary<(short Queue, short Priority), double>> LevelsAsync(
        NpgsqlDataSource db, IReadOnlyList<short> queues, TimeSpan aLevel, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(Sql, Statement.P(queues.ToArray())));

        var levels = new Dictionary<(short, short), double>();
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct)) levels[(row.GetInt16(0), row.GetInt16(1))] = Math.Max(0, row.GetDouble(2)) / aLevel.TotalSeconds;

        return levels;
    }
}
