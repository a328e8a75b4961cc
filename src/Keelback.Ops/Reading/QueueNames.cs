using Npgsql;

namespace Keelback.Ops;

/// <summary>The app's queues by name.</summary>
internal static class QueueNames
{
    public static async Task<SortedDictionary<string, short>> AllAsync(NpgsqlDataSource db, string app, CancellationToken ct)
    {
        await using var command = db.CreateCommand("select name, id from keelback.queue where app = $1");
        command.Parameters.AddWithValue(app);
        var names = new SortedDictionary<string, short>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) names[row.GetString(0)] = row.GetInt16(1);
        return names;
    }
}
