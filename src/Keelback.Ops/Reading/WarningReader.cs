using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>What the watch found at its last look; what nobody has seen again for a while is not told.</summary>
internal sealed class WarningReader(NpgsqlDataSource db, QueueCatalog catalog)
{
    public async Task<IReadOnlyList<Warning>> AllAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand("select key, text, since from keelback.warning where app = $1 and seen_at > keelback.clock() - $2 order by key limit 50");
        command.Parameters.AddWithValue(catalog.App);
        command.Parameters.AddWithValue(HealthWatch.Remembered);
        var warnings = new List<Warning>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) warnings.Add(new(row.GetString(0), row.GetString(1), row.GetFieldValue<DateTimeOffset>(2)));
        return warnings;
    }
}
