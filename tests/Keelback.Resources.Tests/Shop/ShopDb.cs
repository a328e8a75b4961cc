using Microsoft.EntityFrameworkCore;

namespace Keelback.Resources.Tests.Shop;

public sealed class ShopDb(DbContextOptions<ShopDb> options) : DbContext(options)
{
    public DbSet<Track> Tracks => Set<Track>();

    public DbSet<Album> Albums => Set<Album>();

    public DbSet<Genre> Genres => Set<Genre>();

    public DbSet<Label> Labels => Set<Label>();

    public DbSet<Note> Notes => Set<Note>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Genre>(e =>
        {
            e.Property(g => g.Name).HasMaxLength(30);
            e.HasIndex(g => g.Name).IsUnique();
        });
        modelBuilder.Entity<Track>(e =>
        {
            e.ToTable(t => t.HasCheckConstraint("ck_track_plays", "plays < 1000000"));
            e.Property(t => t.Name).HasMaxLength(20);
            e.Property(t => t.UnitPrice).HasPrecision(10, 2);
            e.Property(t => t.Medium).HasConversion<string>();
            e.Property(t => t.LocalTime).HasColumnType("timestamp without time zone");
            e.HasOne(t => t.Album).WithMany(a => a.Tracks).OnDelete(DeleteBehavior.Restrict);
        });
        modelBuilder.Entity<Pair>().HasKey(p => new { p.Left, p.Right });
        modelBuilder.Entity<Label>(e =>
        {
            e.HasKey(l => l.Code);
            e.Property(l => l.Code).HasMaxLength(10);
        });
    }
}
