using System.ComponentModel.DataAnnotations.Schema;
using Keelback.Testing;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Data.Tests;

/// <summary>The names that PostgreSQL got, read from its catalog.</summary>
public sealed class NamingTests : IAsyncLifetime
{
    private static readonly TestTemplate s_template = new("naming", async (source, ct) =>
    {
        await using var db = new Zoo(new DbContextOptionsBuilder<Zoo>().UseNpgsql(source).UseKeelback().Options);
        await db.Database.EnsureCreatedAsync(ct);
    });

    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(s_template);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData("keepers", "birth_date,full_name,home_city,home_street_name,id,work_city,work_street_name")]
    [InlineData("animals", "discriminator,id,keeper_id,loud_bark,name,soft_purr")]
    [InlineData("animal_toys", "animals_id,toys_id")]
    [InlineData("toys", "details,id,OldName")]
    [InlineData("Legacy", "id,note")]
    [InlineData("keeper_badges", "id,keeper_id,label_text")]
    public async Task Tables_and_columns(string table, string columns) => Assert.Equal(
        columns, await ScalarAsync(
            $"select string_agg(column_name, ',' order by column_name collate \"und-x-icu\") from information_schema.columns where table_name = '{table}'"));

    [Fact]
    public async Task Constraints_and_indexes()
    {
        var constraints = await ScalarAsync(
            "select string_agg(conname, E'\\n' order by conname collate \"C\") from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f')");
        var indexes = await ScalarAsync(
            "select string_agg(indexname, E'\\n' order by indexname collate \"C\") from pg_indexes where schemaname = 'public' and indexname like 'ix%' or indexname = 'MyIndex'");

        Assert.Equal(
            """
            ak_keepers_full_name
            fk_animal_toys_animals_animals_id
            fk_animal_toys_toys_toys_id
            fk_animals_keepers_keeper_id
            fk_keeper_badges_keepers_keeper_id
            pk_animal_toys
            pk_animals
            pk_keeper_badges
            pk_keepers
            pk_legacy
            pk_toys
            """, constraints);
        Assert.Equal(
            """
            MyIndex
            ix_animal_toys_toys_id
            ix_animals_keeper_id
            """, indexes); // none on keeper_badges.keeper_id: its primary key begins with it
    }

    [Fact]
    public async Task A_document_has_snake_case_members()
    {
        await using var db = new Zoo(new DbContextOptionsBuilder<Zoo>().UseNpgsql(_database.DataSource).UseKeelback().Options);
        db.Add(new Toy { OldName = "ball", Details = new() { MadeOf = "rubber", Sizes = { new() { InCm = 5 } } } });
        await db.SaveChangesAsync();

        Assert.Equal("""{"sizes": [{"in_cm": 5}], "made_of": "rubber"}""", await ScalarAsync("select details::text from toys"));
        Assert.Equal(1, await db.Toys.CountAsync(t => t.Details.MadeOf == "rubber"));
    }

    private async Task<string> ScalarAsync(string sql)
    {
        await using var command = _database.DataSource.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private sealed class Zoo(DbContextOptions<Zoo> options) : DbContext(options)
    {
        public DbSet<Keeper> Keepers => Set<Keeper>();
        public DbSet<Animal> Animals => Set<Animal>();
        public DbSet<Toy> Toys => Set<Toy>();
        public DbSet<OldTable> OldTables => Set<OldTable>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Keeper>(keeper =>
            {
                keeper.HasAlternateKey(k => k.FullName);
                keeper.OwnsOne(k => k.Home);
                keeper.ComplexProperty(k => k.Work);
                keeper.OwnsMany(k => k.Badges).ToTable("keeper_badges");
            });
            modelBuilder.Entity<Dog>();
            modelBuilder.Entity<Cat>();
            modelBuilder.Entity<Animal>().HasMany(a => a.Toys).WithMany(t => t.Animals).UsingEntity("AnimalToys");
            modelBuilder.Entity<Toy>(toy =>
            {
                toy.Property(t => t.OldName).HasColumnName("OldName");
                toy.HasIndex(t => t.OldName, "MyIndex");
                toy.OwnsOne(t => t.Details, details =>
                {
                    details.ToJson();
                    details.OwnsMany(d => d.Sizes);
                });
            });
        }
    }

    private sealed class Keeper
    {
        public int Id { get; set; }
        public required string FullName { get; set; }
        public DateOnly BirthDate { get; set; }
        public required Address Home { get; set; }
        public required Address Work { get; set; }
        public List<Badge> Badges { get; } = [];
    }

    private sealed class Address
    {
        public required string StreetName { get; set; }
        public required string City { get; set; }
    }

    private sealed class Badge
    {
        public int Id { get; set; }
        public required string LabelText { get; set; }
    }

    private abstract class Animal
    {
        public int Id { get; set; }
        public required string Name { get; set; }
        public Keeper? Keeper { get; set; }
        public List<Toy> Toys { get; } = [];
    }

    private sealed class Dog : Animal
    {
        public bool LoudBark { get; set; }
    }

    private sealed class Cat : Animal
    {
        public bool SoftPurr { get; set; }
    }

    private sealed class Toy
    {
        public int Id { get; set; }
        public required string OldName { get; set; }
        public required Details Details { get; set; }
        public List<Animal> Animals { get; } = [];
    }

    private sealed class Details
    {
        public required string MadeOf { get; set; }
        public List<Size> Sizes { get; } = [];
    }

    private sealed class Size
    {
        public int InCm { get; set; }
    }

    [Table("Legacy")]
    private sealed class OldTable
    {
        public int Id { get; set; }
        public string? Note { get; set; }
    }
}
