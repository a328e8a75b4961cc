using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

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
        _folder.Remove("artist.csv").Write("genre.csv", "").Write("album.csv", "album_id,titel,artist_id\n")
            .Write("playlist.csv", System.Text.Encoding.Unicode.GetBytes("playlist_id,name\n"));

        var (exitCode, said) = await ImportAsync(_folder.Path);

        Assert.Equal(1, exitCode);
        Assert.Contains($"There is no file {Path.Combine(_folder.Path, "artist.csv")}.", said, StringComparison.Ordinal);
        Assert.Contains("genre.csv is empty; its first line must be genre_id,name", said, StringComparison.Ordinal);
        Assert.Contains("playlist.csv is not UTF-8; save it as such.", said, StringComparison.Ordinal);
        Assert.Contains("The header of album.csv lacks title, and has the unknown 'titel'", said, StringComparison.Ordinal);
        await using var db = StoreDatabase.Context(_database.DataSource);
        Assert.False(await db.Imports.AnyAsync());
    }

    [Fact]
    public async Task It_tells_of_a_file_that_is_in_only_after_those_behind_it()
    {
        _folder.Append("genre.csv", "x,Ska\n");
        await using var invoices = await LockAsync("invoice");
        await using var rejects = await LockAsync("import_reject"); // genre.csv has its number and waits here for its commit
        using var import = Start(_folder.Path);
        await UntilSomeoneWaitsForAsync("import_reject");

        await invoices.CloseAsync();
        await import.SaysAsync("invoice.csv");
        await rejects.CloseAsync();

        Assert.Contains("genre.csv", await import.SaysAsync("genre.csv "), StringComparison.Ordinal);
        Assert.Equal(0, await import.EndsAsync());
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_one_complaint()
    {
        var (exitCode, said) = await ImportAsync(Path.Combine(_folder.Path, "nowhere"));

        Assert.Equal(1, exitCode);
        Assert.Contains($"There is no folder {Path.Combine(_folder.Path, "nowhere")}.", said, StringComparison.Ordinal);
        Assert.DoesNotContain("artist.csv", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_that_was_killed_half_way_is_gone_on_with()
    {
        await using var stop = await LockAsync("track"); // the import stops here: half of the files are in, and one is in the making
        using (var killed = Start(_folder.Path))
        {
            await killed.SaysAsync("album.csv");
            killed.Kill();
        }

        await stop.CloseAsync();
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

    /// <summary>Keeps writers out of a table until the connection is closed.</summary>
    private async Task<NpgsqlConnection> LockAsync(string table)
    {
        var connection = await _database.DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"begin; lock table {table} in share row exclusive mode", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private async Task UntilSomeoneWaitsForAsync(string table)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        await using var command = _database.DataSource.CreateCommand(
            $"select exists (select from pg_locks where relation = '{table}'::regclass and not granted)");
        while (await command.ExecuteScalarAsync(patience.Token) is not true) await look.WaitForNextTickAsync(patience.Token);
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
