using Keelback.Jobs;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Keelback.Ops;

/// <summary>Writes what is done by hand: a row before it is done, which then learns how it ended. A death in between leaves it at <c>begun</c>.</summary>
internal sealed class AuditWriter(NpgsqlDataSource db, QueueCatalog catalog, ILogger<AuditWriter> log)
{
    public async Task<ActionResult> AuditAsync(
        Actor actor, string action, string target, string? before, Func<Task<ActionResult>> act, CancellationToken ct)
    {
        var row = await BeginAsync(actor, action, target, before, ct);
        ActionResult result;
        try
        {
            result = await act();
        }
        catch (Exception e)
        {
            await EndAsync(row, $"failed: {(e is KeelbackException known ? known.Message : e.GetType().Name)}", null);
            throw;
        }

        await EndAsync(row, result.Outcome, result.After);
        Log.Acted(log, actor.Who, actor.Via, action, target, result.Outcome);
        return result;
    }

    private async Task<long> BeginAsync(Actor actor, string action, string target, string? before, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            insert into keelback.audit (at, app, who, via, action, target, before, outcome)
            values (keelback.clock(), $1, $2, $3, $4, $5, $6, 'begun') returning id
            """);
        command.Parameters.AddWithValue(catalog.App);
        command.Parameters.AddWithValue(actor.Who);
        command.Parameters.AddWithValue(actor.Via);
        command.Parameters.AddWithValue(action);
        command.Parameters.AddWithValue(target);
        command.Parameters.Add(new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb });
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    // Not cancelled with the request: what was done must not stay "begun".
    private async Task EndAsync(long row, string outcome, string? after)
    {
        await using var command = db.CreateCommand("update keelback.audit set outcome = $2, after = $3 where id = $1");
        command.Parameters.AddWithValue(row);
        command.Parameters.AddWithValue(outcome.Length <= 500 ? outcome : outcome[..500]);
        command.Parameters.Add(new() { Value = (object?)after ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb });
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }
}
