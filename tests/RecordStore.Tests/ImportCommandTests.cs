using Keelback.Testing;
using Microsoft.EntityFrameworkCore;

namespace RecordStore.Tests;

/// <summary>The <c>import</c> command, as a process.</summary>
public sealed class ImportCommandTests : IAsyncLifetime
{
    private readonly CsvFolder _folder = new();
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(StoreDatabase.Template);

    public async Task DisposeAsync()
    {
        _folder.Delete();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task It_tells_how_each_file_went_and_names_the_rejected_rows()
    {
        _folder.Append("genre.csv", "x,Ska\n");

        var (exitCode, said) = await ImportAsync(_folder.Path);

        Assert.Equal(0, exitCode);
        Assert.Contains("genre.csv                  2 new        0 changed        0 as they were        1 rejected", said, StringComparison.Ordinal);
        Assert.Contains("22 rows read: 21 new, 0 changed, 0 as they were, 1 rejected", said, StringComparison.Ordinal);
        Assert.Contains("  genre.csv:4: genre_id 'x' is not a whole number", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_names_every_file_that_cannot_be_read_and_enqueues_nothing()
    {
        _folder.Remove("artist.csv").Write("genre.csv", "").Write("album.csv", "album_id,titel,artist_id\n");

        var (exitCode, said) = await ImportAsync(_folder.Path);

        Assert.Equal(1, exitCode);
        Assert.Contains($"There is no file {Path.Combine(_folder.Path, "artist.csv")}.", said, StringComparison.Ordinal);
        Assert.Contains("genre.csv is empty; its first line must be genre_id,name", said, StringComparison.Ordinal);
        Assert.Contains("The header of album.csv lacks title, and has the unknown 'titel'", said, StringComparison.Ordinal);
        await using var db = StoreDatabase.Context(_database.DataSource);
        Assert.False(await db.Imports.AnyAsync());
    }

    [Fact]
    public async Task An_import_that_was_killed_half_way_is_gone_on_with()
    {
        await using var connection = await _database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var stop = new Npgsql.NpgsqlCommand("lock table track in share row exclusive mode", connection, transaction))
            await stop.ExecuteNonQueryAsync(); // the import stops here: half of the files are in, and one is in the making
        using (var killed = Start(_folder.Path))
        {
            await killed.SaysAsync("album.csv");
            killed.Kill();
        }

        await transaction.RollbackAsync();
        var (exitCode, said) = await ImportAsync(_folder.Path);

        Assert.Equal(0, exitCode);
        Assert.Contains("Going on with import 1", said, StringComparison.Ordinal);
        await using var db = StoreDatabase.Context(_database.DataSource);
        Assert.Equal((1, 11), (await db.Imports.CountAsync(), await db.ImportFiles.CountAsync()));
        Assert.Equal(CsvFolder.Rows, await db.ImportFiles.SumAsync(file => file.Inserted));
    }

    [ChinookFact]
    public async Task Chinook_arrives_whole_and_a_second_import_changes_no_row()
    {
        var (_, first) = await ImportAsync(ChinookFactAttribute.Folder!);
        var before = await RowVersions.ReadAsync(_database.DataSource);

        var (_, second) = await ImportAsync(ChinookFactAttribute.Folder!);

        Assert.Contains("15,607 rows read: 15,607 new, 0 changed, 0 as they were, 0 rejected", first, StringComparison.Ordinal);
        Assert.Contains("15,607 rows read: 0 new, 0 changed, 15,607 as they were, 0 rejected", second, StringComparison.Ordinal);
        Assert.Equal(15_607, before.Count);
        Assert.Equal(before, await RowVersions.ReadAsync(_database.DataSource));
    }

    private async Task<(int ExitCode, string Said)> ImportAsync(string folder)
    {
        using var process = Start(folder);
        return (await process.EndsAsync(), process.Said);
    }

    // A short lease: what a killed import held is free again after three seconds.
    private StoreProcess Start(string folder) => StoreProcess.Start(
        _database.ConnectionString, ["import", folder], ("Keelback__Jobs__Lease", "00:00:03"), ("Keelback__Jobs__Heartbeat", "00:00:01"));
}
