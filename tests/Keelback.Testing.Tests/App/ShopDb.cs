using System.ComponentModel.DataAnnotations;
using Keelback.Data;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Testing.Tests.App;

public sealed class ShopDb(DbContextOptions<ShopDb> options) : DbContext(options)
{
    public DbSet<Genre> Genres => Set<Genre>();

    public DbSet<Album> Albums => Set<Album>();

    public DbSet<Sale> Sales => Set<Sale>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Genre>().HasIndex(g => g.Code).IsUnique();
        modelBuilder.Entity<Album>(album =>
        {
            album.ComplexProperty(a => a.Label);
            album.HasOne(a => a.Genre).WithMany().HasForeignKey("GenreId").IsRequired();
            album.ToTable(t => t.HasCheckConstraint("ck_albums_price", "price > 0"));
        });
        modelBuilder.Entity<Book>().Property(b => b.Isbn).HasConversion(isbn => isbn.Digits, digits => new(digits));
        modelBuilder.Entity<Team>().HasOne<Coach>().WithMany().HasForeignKey(t => t.CoachId);
        modelBuilder.Entity<Coach>().HasOne<Team>().WithMany().HasForeignKey(c => c.TeamId);
        modelBuilder.Entity<Sale>().HasOne<Album>().WithMany().HasForeignKey(s => s.AlbumId);
    }
}

public sealed class Genre
{
    public int Id { get; set; }

    [MaxLength(2)]
    public required string Code { get; set; }
}

public sealed class Album
{
    public long Id { get; set; }

    [MaxLength(20)]
    public required string Title { get; set; }

    public Genre Genre { get; set; } = null!;

    [Range(5, 100)]
    public decimal Price { get; set; }

    public required Label Label { get; set; }

    public DateTime ReleasedAt { get; set; }

    public string? Note { get; set; }
}

public sealed class Label
{
    [MaxLength(40)]
    public required string Name { get; set; }

    public required string ContactEmail { get; set; }
}

public sealed class Book
{
    public long Id { get; set; }

    public Isbn Isbn { get; set; }
}

public readonly record struct Isbn(string Digits);

public sealed class Team
{
    public long Id { get; set; }

    public long CoachId { get; set; }
}

public sealed class Coach
{
    public long Id { get; set; }

    public long TeamId { get; set; }
}

public sealed class Sale : ITimestamped
{
    public long Id { get; set; }

    public long AlbumId { get; set; }

    public int Quantity { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset UpdatedAt { get; set; }
}
