using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>A run's whole arguments as they are stored, other runs' results included, as far as they fit into a form.</summary>
internal sealed class EditableInput(NpgsqlDataSource db, QueueCatalog catalog)
{
    /// <summary>Null: there is no such run. Larger ones than a payload may be come without the results.</summary>
    public async Task<string?> ReadAsync(long run, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            select r.input, case when r.ups is not null then keelback.bound_input(r.input, r.ups, r.params) end
            from keelback.run r join keelback.queue q on q.id = r.queue and q.app = $2 where r.id = $1
            """);
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(catalog.App);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct)) return null;

        var whole = row.IsDBNull(1) ? null : row.GetString(1);
        return whole is { Length: <= PayloadRules.MaxBytes } ? whole : row.GetString(0);
    }
}
