using Npgsql;

namespace Keelback.Jobs;

/// <summary>Deletes ticks that are older than the retention; each schedule keeps its latest.</summary>
internal static class TickRetention
{
    private const int Kept = 100;
    private const int PageSize = 1000;

    public static async Task RunAsync(NpgsqlDataSource db, string app, TimeSpan retention, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            delete from keelback.tick
            where ctid = any(array(
                select t.ctid
                from keelback.schedule s
                cross join lateral (
                    select at from keelback.tick where schedule = s.id order by at desc offset $3 limit 1) oldest
                join keelback.tick t on t.schedule = s.id and t.at <= oldest.at
                where s.app = $1 and t.decided_at < keelback.clock() - $2
                limit $4
                for update of t skip locked))
            """);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(retention);
        command.Parameters.AddWithValue(Kept);
        command.Parameters.AddWithValue(PageSize);

        while (await command.ExecuteNonQueryAsync(ct) == PageSize)
        {
        }
    }
}
