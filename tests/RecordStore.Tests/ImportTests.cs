using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using RecordStore.Import;

namespace RecordStore.Tests;

/// <summary>What each file does to its table. How the files' jobs follow each other is in <see cref="ImportCommandTests"/>.</summary>
public sealed class ImportTests : IAsyncLifetime
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
    public async Task Every_row_arrives_as_the_file_has_it()
    {
        var results = await ImportAsync();

        Assert.Equal((CsvFolder.Rows, 0L), (results.Sum(file => file.Inserted), results.Sum(file => file.Rejected)));

        await using var db = StoreDatabase.Context(_database.DataSource);
        var track = await db.Tracks.Include(t => t.Album.Artist).Include(t => t.Playlists).SingleAsync(t => t.Id == 2);
        Assert.Equal("Spanish moss-\"A sound portrait\"-Spanish moss", track.Name);
        Assert.Equal(("Motörhead", 1.99m, null, 1), (track.Album.Artist.Name, track.UnitPrice, track.Composer, track.Playlists.Count));
        var invoice = await db.Invoices.SingleAsync();
        Assert.Equal(new DateTimeOffset(2021, 1, 1, 10, 30, 0, TimeSpan.Zero), invoice.InvoiceDate);
        var jane = await db.Employees.Include(e => e.Manager).SingleAsync(e => e.FirstName == "Jane");
        Assert.Equal("Nancy", jane.Manager!.FirstName);
    }

    [Fact]
    public async Task A_second_import_writes_no_row()
    {
        await ImportAsync();
        var before = await VersionsAsync();

        var results = await ImportAsync();

        Assert.Equal(CsvFolder.Rows, results.Sum(file => file.Unchanged));
        Assert.Equal(before, await VersionsAsync());
    }

    [Fact]
    public async Task Only_the_row_that_differs_is_updated()
    {
        await ImportAsync();
        var before = await VersionsAsync();
        _folder.Write("genre.csv", "name,genre_id\nRock,1\nBebop,2\n"); // the columns in another order, too

        var genres = (await ImportAsync()).Single(file => file.File == "genre.csv");

        Assert.Equal((0L, 1L, 1L), (genres.Inserted, genres.Updated, genres.Unchanged));
        var changed = (await VersionsAsync()).Except(before);
        Assert.StartsWith("genre (", Assert.Single(changed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_next_id_comes_after_the_highest_of_the_file()
    {
        await ImportAsync();
        await using var db = StoreDatabase.Context(_database.DataSource);

        var artist = db.Add(new Artist { Name = "The new ones" }).Entity;
        var invoice = db.Add(new Invoice { CustomerId = 1 }).Entity;
        await db.SaveChangesAsync();

        Assert.Equal((4, 8), (artist.Id, invoice.Id));
    }

    [Fact]
    public async Task An_import_of_fewer_rows_does_not_move_the_ids_back()
    {
        await ImportAsync();
        await using (var db = StoreDatabase.Context(_database.DataSource))
        {
            db.Add(new Artist { Name = "Sold out" });
            await db.SaveChangesAsync();
            await db.Artists.Where(artist => artist.Name == "Sold out").ExecuteDeleteAsync();
        }

        await ImportAsync();

        await using var later = StoreDatabase.Context(_database.DataSource);
        var artist = later.Add(new Artist { Name = "The next" }).Entity;
        await later.SaveChangesAsync();
        Assert.Equal(5, artist.Id);
    }

    [Theory]
    [InlineData("artist.csv", "abc,X", "artist_id 'abc' is not a whole number")]
    [InlineData("artist.csv", "1.5,X", "artist_id '1.5' is not a whole number")]
    [InlineData("artist.csv", "2147483648,X", "artist_id '2147483648' is out of range")]
    [InlineData("artist.csv", ",X", "artist_id is missing")]
    [InlineData("artist.csv", "9,", "name is missing")]
    [InlineData("artist.csv", "9", "1 field instead of 2")]
    [InlineData("artist.csv", "9,X,Y", "3 fields instead of 2")]
    [InlineData("artist.csv", "9,X\"Y", "a quotation mark is out of place")]
    [InlineData("artist.csv", "9,\"X\nY\n", "a quotation mark is out of place or never closed; the record reaches to line 7")]
    [InlineData("artist.csv", "9,X\0", "a NUL character")]
    [InlineData("artist.csv", "3,Again", "artist_id 3 is in line 4 already")]
    [InlineData("artist.csv", "9,AC/DC", "name AC/DC is in line 2 already")]
    [InlineData("artist.csv", "x,", "artist_id 'x' is not a whole number; name is missing")]
    [InlineData("album.csv", "9,Orphan,99", "artist_id 99 is not in artist")]
    [InlineData("track.csv", "9,X,1,1,1,,0,1,0.99", "breaks the rule milliseconds > 0")]
    [InlineData("track.csv", "9,X,1,1,1,,1,9223372036854775808,0.99", "bytes '9223372036854775808' is out of range")]
    [InlineData("track.csv", "9,X,1,1,1,,1,1,-0.01", "breaks the rule unit_price >= 0")]
    [InlineData("track.csv", "9,X,1,1,1,,1,1,0.999", "unit_price '0.999' has more than 2 decimals")]
    [InlineData("track.csv", "9,X,1,1,1,,1,1,1e3", "unit_price '1e3' is not a number")]
    [InlineData("track.csv", "9,X,1,1,1,,1,1,100000000", "unit_price '100000000' is out of range")]
    [InlineData("track.csv", "9,X,7,8,9,,1,1,0.99", "album_id 7 is not in album; genre_id 9 is not in genre; media_type_id 8 is not in media_type")]
    [InlineData("invoice.csv", "9,1,2021-02-29 00:00:00,,,,,,1", "invoice_date '2021-02-29 00:00:00' is not a day of the calendar")]
    [InlineData("invoice.csv", "9,1,yesterday,,,,,,1", "invoice_date 'yesterday' is not a time like 2026-01-31 18:30:00")]
    [InlineData("invoice_line.csv", "9,7,1,0.99,0", "breaks the rule quantity > 0")]
    [InlineData("playlist_track.csv", "1,2", "playlist_id, track_id 1, 2 is in line 3 already")]
    public async Task A_row_that_does_not_fit_is_rejected_with_its_line_and_the_reason(string file, string row, string reason)
    {
        var line = File.ReadAllLines(Path.Combine(_folder.Path, file)).Length + 1;
        _folder.Append(file, row);

        var result = (await ImportAsync()).Single(r => r.File == file);

        Assert.Equal((1L, result.Read - 1), (result.Rejected, result.Inserted));
        await using var db = StoreDatabase.Context(_database.DataSource);
        var reject = await db.ImportRejects.SingleAsync();
        Assert.Equal((line, reason), (reject.Line, reject.Reason));
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF_8_are_rejected_and_a_byte_order_mark_is_not()
    {
        _folder.Write("artist.csv", [0xEF, 0xBB, 0xBF, .. "artist_id,name\n1,AC/DC\n3,Mot"u8, 0xF6, .. "rhead\n"u8]);
        _folder.Write("album.csv", "album_id,title,artist_id\n1,Let There Be Rock,1\n2,Ace of Spades,1\n");

        var results = await ImportAsync();

        Assert.Equal((1L, 1L), (results[0].Inserted, results[0].Rejected));
        await using var db = StoreDatabase.Context(_database.DataSource);
        var reject = await db.ImportRejects.SingleAsync();
        Assert.Equal((3L, "not UTF-8"), (reject.Line, reject.Reason));
    }

    [Fact]
    public async Task A_rejected_manager_takes_along_those_below()
    {
        _folder.Append("employee.csv",
            "3,C,C,,9,,,,,,,,,,c@store.example\n" + // no such manager
            "4,D,D,,3,,,,,,,,,,d@store.example\n" +
            "5,E,E,,4,,,,,,,,,,e@store.example\n" +
            "6,F,F,,2,,,,,,,,,,f@store.example\n" +
            "7,G,G,,8,,,,,,,,,,g@store.example\n" + // a circle, which the table allows
            "8,H,H,,7,,,,,,,,,,h@store.example\n");

        var employees = (await ImportAsync()).Single(file => file.File == "employee.csv");

        Assert.Equal((5L, 3L), (employees.Inserted, employees.Rejected));
        await using var db = StoreDatabase.Context(_database.DataSource);
        var rejects = await db.ImportRejects.OrderBy(r => r.Line).ToListAsync();
        Assert.Equal(
            [(4, "reports_to 9 is not in employee"), (5, "reports_to 3 is not in employee"), (6, "reports_to 4 is not in employee")],
            rejects.Select(r => (r.Line, r.Reason)));
    }

    [Fact]
    public async Task A_name_that_another_row_of_the_table_has_is_rejected()
    {
        await ImportAsync();
        _folder.Write("genre.csv", "genre_id,name\n1,Rock\n9,Jazz\n");

        var genres = (await ImportAsync()).Single(file => file.File == "genre.csv");

        Assert.Equal((1L, 1L), (genres.Unchanged, genres.Rejected));
        await using var db = StoreDatabase.Context(_database.DataSource);
        Assert.Equal("name Jazz belongs to genre_id 2 already", (await db.ImportRejects.SingleAsync()).Reason);
    }

    [Fact]
    public async Task A_value_that_spans_lines_and_a_blank_line_leave_the_count_of_lines_right()
    {
        _folder.Write("artist.csv", "artist_id,name\r\n1,\"AC\r\nDC\"\r\n\r\n2,\r\n3,Motörhead");

        var artists = (await ImportAsync())[0];

        Assert.Equal((2L, 1L), (artists.Inserted, artists.Rejected));
        await using var db = StoreDatabase.Context(_database.DataSource);
        Assert.Equal("AC\r\nDC", (await db.Artists.SingleAsync(artist => artist.Id == 1)).Name);
        Assert.Equal(5, (await db.ImportRejects.SingleAsync()).Line);
    }

    private async Task<List<FileResult>> ImportAsync()
    {
        await using var db = StoreDatabase.Context(_database.DataSource);
        var import = db.Add(new ImportRun { Folder = _folder.Path }).Entity;
        await db.SaveChangesAsync();

        var results = new List<FileResult>();
        foreach (var entity in ImportGraph.Entities)
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            results.Add(await new TableImport(db, ImportTable.Of(db, entity)).RunAsync(import.Id, _folder.Path, default));
            await transaction.CommitAsync();
        }

        return results;
    }

    private async Task<IReadOnlyList<string>> VersionsAsync() => await RowVersions.ReadAsync(_database.DataSource);
}
