using System.Text.Json.Serialization;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Data.Tests;

public sealed class ConstraintViolationTests : IAsyncLifetime
{
    private static readonly TestTemplate s_template = new("library", async (source, ct) =>
    {
        await using var db = Open(source);
        await db.Database.EnsureCreatedAsync(ct);
    });

    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(s_template);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_duplicate_names_the_property_of_the_index()
    {
        await SaveAsync(db => db.Add(new Shelf { Code = "A", Room = "1", Number = 1 }));

        var violation = await BreakAsync(db => db.Add(new Shelf { Code = "A", Room = "2", Number = 2 }));

        Assert.Equal(ConstraintKind.Unique, violation.Kind);
        Assert.Equal([new("/code", null, "unique", "There is one with this value already.")], violation.ToErrors());
    }

    [Fact]
    public async Task A_duplicate_of_several_columns_names_them_all()
    {
        await SaveAsync(db => db.Add(new Shelf { Code = "A", Room = "1", Number = 1 }));

        var violation = await BreakAsync(db => db.Add(new Shelf { Code = "B", Room = "1", Number = 1 }));

        Assert.Equal(["/room", "/shelf_number"], violation.ToErrors().Select(e => e.Pointer));
    }

    [Fact]
    public async Task A_reference_to_nothing_names_the_foreign_key()
    {
        var violation = await BreakAsync(db => db.Add(new Book { Title = "T", Pages = 1, ShelfId = 77 }));

        Assert.False(violation.OnDelete);
        Assert.Equal([new("/shelfId", null, "unknown", "There is no such entry.")], violation.ToErrors());
    }

    [Fact]
    public async Task A_row_that_others_refer_to_is_in_use()
    {
        var shelf = new Shelf { Code = "A", Room = "1", Number = 1 };
        await SaveAsync(db => db.Add(shelf));
        await SaveAsync(db => db.Add(new Book { Title = "T", Pages = 1, ShelfId = shelf.Id }));

        var violation = await BreakAsync(db => db.Remove(new Shelf { Id = shelf.Id, Code = "A", Room = "1" }));

        Assert.True(violation.OnDelete);
        Assert.Equal([new("", null, "in_use", "Other entries refer to it.")], violation.ToErrors());
    }

    [Fact]
    public async Task A_broken_check_names_the_columns_in_its_text()
    {
        var shelf = new Shelf { Code = "A", Room = "1", Number = 1 };
        await SaveAsync(db => db.Add(shelf));

        var violation = await BreakAsync(db => db.Add(new Book { Title = "T", Pages = 0, ShelfId = shelf.Id }));

        Assert.Equal([new("/pages", null, "check", "Breaks the rule ck_books_pages.")], violation.ToErrors());
    }

    [Fact]
    public async Task A_missing_value_names_its_column()
    {
        await using var db = Open(_database.DataSource);
        var failure = await Assert.ThrowsAsync<PostgresException>(() =>
            db.Database.ExecuteSqlAsync($"insert into shelves (room, number) values ('1', 1)"));

        var violation = ConstraintViolation.From(failure, db)!;

        Assert.Equal([new("/code", null, "required", "Must have a value.")], violation.ToErrors());
    }

    [Fact]
    public async Task A_text_over_its_limit_is_found_by_its_length()
    {
        var violation = await BreakAsync(db => db.Add(new Shelf { Code = "ABCDEFGHIJK", Room = "1", Number = 1 }));

        Assert.Equal([new("/code", null, "too_long", "Is too long.")], violation.ToErrors());
    }

    [Fact]
    public async Task A_plain_statement_is_read_in_the_same_way()
    {
        await SaveAsync(db => db.Add(new Shelf { Code = "A", Room = "1", Number = 1 }));
        await using var db = Open(_database.DataSource);

        var failure = await Assert.ThrowsAsync<PostgresException>(() =>
            db.Database.ExecuteSqlAsync($"insert into shelves (code, room, number) values ('A', '2', 2)"));

        Assert.Equal(["/code"], ConstraintViolation.From(failure, db)!.ToErrors().Select(e => e.Pointer));
    }

    [Fact]
    public async Task Another_failure_is_no_violation()
    {
        await using var db = Open(_database.DataSource);

        var failure = await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlAsync($"select 1/0"));

        Assert.Null(ConstraintViolation.From(failure, db));
    }

    private async Task SaveAsync(Action<Library> change)
    {
        await using var db = Open(_database.DataSource);
        change(db);
        await db.SaveChangesAsync();
    }

    private async Task<ConstraintViolation> BreakAsync(Action<Library> change)
    {
        await using var db = Open(_database.DataSource);
        change(db);
        var failure = await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());

        return Assert.IsType<ConstraintViolation>(ConstraintViolation.From(failure, db));
    }

    private static Library Open(NpgsqlDataSource source) =>
        new(new DbContextOptionsBuilder<Library>().UseNpgsql(source).UseKeelback().Options);

    public sealed class Shelf
    {
        public int Id { get; set; }
        public required string Code { get; set; }
        public required string Room { get; set; }

        [JsonPropertyName("shelf_number")]
        public int Number { get; set; }
    }

    public sealed class Book
    {
        public int Id { get; set; }
        public required string Title { get; set; }
        public int Pages { get; set; }
        public int ShelfId { get; set; }
    }

    private sealed class Library(DbContextOptions<Library> options) : DbContext(options)
    {
        public DbSet<Shelf> Shelves => Set<Shelf>();
        public DbSet<Book> Books => Set<Book>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Shelf>(shelf =>
            {
                shelf.Property(s => s.Code).HasMaxLength(10);
                shelf.HasIndex(s => s.Code).IsUnique();
                shelf.HasAlternateKey(s => new { s.Room, s.Number });
            });
            modelBuilder.Entity<Book>(book =>
            {
                book.HasOne<Shelf>().WithMany().HasForeignKey(b => b.ShelfId).OnDelete(DeleteBehavior.NoAction);
                book.ToTable(t => t.HasCheckConstraint("ck_books_pages", "pages > 0 and 'title' <> ''"));
            });
        }
    }
}
