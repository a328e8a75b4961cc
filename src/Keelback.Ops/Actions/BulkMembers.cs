using Npgsql;

namespace Keelback.Ops;

/// <summary>Rows of the audit by which a run's page tells that an action over a search reached it. The whole audit leaves them out: the action has a row of its own.</summary>
internal static class BulkMembers
{
    /// <summary>In the transaction that notes how far the action is, so that a page of it that is done again is told once.</summary>
    public static async Task NoteAsync(NpgsqlConnection connection, long bulk, IReadOnlyCollection<long> runs, CancellationToken ct)
    {
        if (runs.Count == 0) return;

        await using var command = new NpgsqlCommand(
            """
            insert into keelback.audit (at, app, who, via, action, target, outcome)
            select keelback.clock(), b.app, b.who, 'bulk', b.action, 'run ' || run, 'bulk ' || b.id from keelback.bulk b, unnest($2) run where b.id = $1
            """, connection);
        command.Parameters.AddWithValue(bulk);
        command.Parameters.AddWithValue(runs.ToArray());
        await command.ExecuteNonQueryAsync(ct);
    }
}
