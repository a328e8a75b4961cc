using Npgsql;

namespace Keelback.Ops;

/// <summary>Ends an action over a whole search, and tells the audit's row of its beginning what came of it.</summary>
internal static class BulkEnd
{
    /// <summary>False: it had ended, or there is none.</summary>
    public static async Task<bool> TellAsync(NpgsqlConnection connection, long id, string outcome, CancellationToken ct)
    {
        await using var end = new NpgsqlCommand(
            "update keelback.bulk set ended_at = keelback.clock(), outcome = $2 where id = $1 and ended_at is null returning app, action, done, refused", connection);
        end.Parameters.AddWithValue(id);
        end.Parameters.AddWithValue(outcome.Length <= 400 ? outcome : outcome[..400]);
        string app, action, counts;
        await using (var row = await end.ExecuteReaderAsync(ct))
        {
            if (!await row.ReadAsync(ct)) return false;
            (app, action) = (row.GetString(0), row.GetString(1));
            counts = $"done: {Show.Count(row.GetInt32(2))}, left as they were: {Show.Count(row.GetInt32(3))}";
        }

        await using var told = new NpgsqlCommand("update keelback.audit set outcome = $4 where app = $1 and target = $2 and action = $3", connection);
        told.Parameters.AddWithValue(app);
        told.Parameters.AddWithValue(BulkActions.Target(id));
        told.Parameters.AddWithValue(BulkActions.Audited(action));
        told.Parameters.AddWithValue(outcome == "done" ? counts : $"{counts}; {outcome}");
        await told.ExecuteNonQueryAsync(ct);
        return true;
    }
}
