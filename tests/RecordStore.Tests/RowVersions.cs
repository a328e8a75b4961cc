using Npgsql;

namespace RecordStore.Tests;

/// <summary>Which transaction wrote each row of the eleven tables: a row that is written again, even with the same values, differs.</summary>
internal static class RowVersions
{
    private static readonly string[] s_tables =
    [
        "artist", "genre", "media_type", "employee", "playlist", "album", "customer", "track", "invoice", "playlist_track", "invoice_line",
    ];

    public static async Task<IReadOnlyList<string>> ReadAsync(NpgsqlDataSource db)
    {
        await using var command = db.CreateCommand(string.Join(" union all ",
            s_tables.Select(table => $"select '{table} ' || t::text || ' ' || xmin::text from {table} t")));
        await using var row = await command.ExecuteReaderAsync();

        var versions = new List<string>();
        while (await row.ReadAsync()) versions.Add(row.GetString(0));
        return versions;
    }
}
