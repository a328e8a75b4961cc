using Npgsql;

namespace Keelback.Jobs;

/// <summary>Ends open runs of the app's, wherever they stand, and what waits for them. Answers what it ended.</summary>
internal static class CancelStatement
{
    public static async Task<List<long>> RunAsync(NpgsqlConnection connection, long[] runs, string app, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select unnest(keelback.cancel($1, $2))", connection);
        command.Parameters.AddWithValue(runs);
        command.Parameters.AddWithValue(app);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await Statement.IdsAsync(row, ct);
    }
}
