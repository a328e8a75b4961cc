using Npgsql;

namespace Keelback.Jobs;

/// <summary>Deletes unique keys that are over: as old as the retention, their window past, and their run not open.</summary>
/// <remarks>In the order of the index, each page from where the last one ended, so that keys that stay are read once a pass. A key that is
/// just taken again is locked, and passed over; one that was taken since the page was read has another version of its row.</remarks>
internal static class KeyRetention
{
    public const string Sql =
        """
        with page as materialized (
            select key, xmin as version, run_id, greatest(until, keelback.run_enqueued_at(run_id)) as over_at
            from keelback.unique_key
            where app = $1 and (greatest(until, keelback.run_enqueued_at(run_id)), run_id) > ($2, $3)
              and greatest(until, keelback.run_enqueued_at(run_id)) < keelback.clock() - $4
            order by greatest(until, keelback.run_enqueued_at(run_id)), run_id
            limit $5
        ), gone as (
            delete from keelback.unique_key
            where ctid = any(array(
                select k.ctid from page p join keelback.unique_key k on k.app = $1 and k.key = p.key and k.xmin = p.version
                where not exists (select from keelback.run r where r.id = p.run_id and r.state = 0)
                for update of k skip locked))
        )
        select over_at, run_id from page order by over_at, run_id offset $5 - 1
        """;

    private const int PageSize = 1000;

    public static async Task RunAsync(NpgsqlDataSource db, string app, TimeSpan retention, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        for (var (at, run) = (DateTime.UnixEpoch, 0L); ;)
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(Statement.ByKey());
            batch.BatchCommands.Add(Statement.Of(
                Sql, Statement.P(app), Statement.P(at), Statement.P(run), Statement.P(retention), Statement.P(PageSize)));

            await using var last = await batch.ExecuteReaderAsync(ct);
            await last.NextResultAsync(ct);
            if (!await last.ReadAsync(ct)) return;
            (at, run) = (last.GetDateTime(0), last.GetInt64(1));
        }
    }
}
