using System.Text.Json;
using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>Reads the overview in one round trip: nothing in it counts rows of a hot table but claims, of which there are no more than workers have slots.</summary>
internal sealed class OverviewReader(NpgsqlDataSource db, QueueCatalog catalog, FigureCache figures)
{
    private const int MostAttempts = 1000; // shown of all workers together, of each the oldest first

    public async Task<DateTimeOffset> NowAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand("select keelback.clock()");
        return new((DateTime)(await command.ExecuteScalarAsync(ct))!);
    }

    public async Task<Overview> ReadAsync(FigureRange range, CancellationToken ct)
    {
        short[] own = [.. (await catalog.AllAsync(ct)).Select(q => q.Id)];
        await using var batch = db.CreateBatch();
        batch.BatchCommands.Add(Statement.Of(
            "select keelback.clock(), coalesce((select at from keelback.search_cursor where app = $1), 'epoch')", Statement.P(catalog.App)));
        batch.BatchCommands.Add(Statement.Of(
            """
            select q.id, q.name, q.paused, q.slots, coalesce(l.open, 0), coalesce(l.ready, 0), l.oldest_at, coalesce(l.running, 0), l.at
            from keelback.queue q left join keelback.queue_look l on l.queue = q.id
            where q.app = $1 order by q.name
            """, Statement.P(catalog.App)));
        batch.BatchCommands.Add(Statement.Of(
            """
            select c.worker_id, c.epoch, c.run_id, r.kind, c.attempt, c.at, c.of
            from (
                select c.*, count(*) over (partition by c.worker_id, c.epoch)::int as of, row_number() over (partition by c.worker_id, c.epoch order by c.at) as nth
                from keelback.claim c
                join keelback.worker w on w.id = c.worker_id and w.epoch = c.epoch and w.app = $1 and w.lease_until > keelback.clock()
                order by nth, c.at limit $2) c
            cross join lateral (select kind from keelback.run where id = c.run_id limit 1) r
            order by c.at
            """, Statement.P(catalog.App), Statement.P(MostAttempts)));
        batch.BatchCommands.Add(Statement.Of(
            "select id, epoch, name, queues, started_at, lease_until, info from keelback.worker where app = $1 and lease_until > keelback.clock() order by name, id limit 500",
            Statement.P(catalog.App)));
        var kept = figures.Find(range);
        batch.BatchCommands.Add(FigureRange.Read(range, own, kept?.UpTo));

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        var (now, upTo) = (row.GetFieldValue<DateTimeOffset>(0), row.GetFieldValue<DateTimeOffset>(1));

        await row.NextResultAsync(ct);
        var queues = new List<QueueLook>();
        while (await row.ReadAsync(ct))
            queues.Add(new(row.GetInt16(0), row.GetString(1), row.GetBoolean(2), row.IsDBNull(3) ? null : row.GetInt32(3), row.GetInt64(4),
                row.GetInt32(5), Time(row, 6), row.GetInt32(7), Time(row, 8)));

        await row.NextResultAsync(ct);
        var attempts = new List<(int Worker, long Epoch, int Of, Attempt Attempt)>();
        while (await row.ReadAsync(ct))
            attempts.Add((row.GetInt32(0), row.GetInt64(1), row.GetInt32(6),
                new(row.GetInt64(2), row.GetString(3), row.GetInt16(4), row.GetFieldValue<DateTimeOffset>(5))));

        await row.NextResultAsync(ct);
        var running = attempts.ToLookup(a => (a.Worker, a.Epoch));
        var workers = new List<WorkerLook>();
        while (await row.ReadAsync(ct))
        {
            var its = running[(row.GetInt32(0), row.GetInt64(1))];
            workers.Add(new(row.GetInt32(0), row.GetInt64(1), row.GetString(2), row.GetFieldValue<string[]>(3),
                row.GetFieldValue<DateTimeOffset>(4), row.GetFieldValue<DateTimeOffset>(5), JsonSerializer.Deserialize<WorkerReport>(row.GetString(6), JobJson.Options)!,
                its.FirstOrDefault().Of, [.. its.Select(a => a.Attempt)]));
        }

        await row.NextResultAsync(ct);
        return new(now, upTo, range, queues, workers, figures.With(range, kept, await FigureRange.ReadAsync(row, ct), now));
    }

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
