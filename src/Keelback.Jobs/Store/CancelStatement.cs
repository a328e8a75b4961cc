using Npgsql;

namespace Keelback.Jobs;

/// <summary>Ends an open run of the app's, wherever it stands, and what waits for it. False: it had ended, or is not there.</summary>
/// <remarks>
/// The run's row decides against a completion that comes at the same moment. The claim goes with it, so that the attempt is fenced;
/// a row in ready or timer stays and falls away when its turn comes.
/// </remarks>
internal static class CancelStatement
{
    public const string Sql =
        """
        with u as (
            update keelback.run r set state = 3, finished_at = keelback.clock()
            where r.id = $1 and r.state = 0 and r.queue in (select id from keelback.queue where app = $2)
            returning r.id, r.followed
        ), c as (
            delete from keelback.claim using u where run_id = u.id returning run_id
        ), w as (
            delete from keelback.wait using u where run_id = u.id
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
