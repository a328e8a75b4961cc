using Npgsql;

namespace Keelback.Jobs;

/// <summary>Ends an open run of the app's, wherever it stands, and what waits for it. False: it had ended, or is not there.</summary>
/// <remarks>
/// The claim goes first, as in a completion, so that the two cannot wait for each other; the run's row decides between them. An attempt
/// without its claim is fenced. A row in ready or timer stays and falls away when its turn comes.
/// </remarks>
internal static class CancelStatement
{
    public const string Sql =
        """
        with c as (
            delete from keelback.claim c
            using keelback.run r
            where c.run_id = $1 and r.id = $1 and r.queue in (select id from keelback.queue where app = $2)
            returning c.run_id
        ), u as (
            update keelback.run r set state = 3, finished_at = keelback.clock()
            where r.id = $1 and r.state = 0 and r.queue in (select id from keelback.queue where app = $2)
              and (select count(*) from c) >= 0 -- after c
            returning r.id, r.followed
        ), w as (
            delete from keelback.wait using u where run_id = u.id
        ), p as (
            delete from keelback.parked using u where run_id = u.id
        ), b as (
            select keelback.fail_below(array(select id from u where followed)) as below where exists (select from u where followed)
        )
        select id from u union all select unnest(below) from b
        """;

    public static async Task<List<long>> RunAsync(NpgsqlConnection connection, long run, string app, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(app);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await Statement.IdsAsync(row, ct);
    }
}
