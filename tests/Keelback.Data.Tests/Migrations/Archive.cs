using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Keelback.Data.Tests;

public sealed class Album
{
    public int Id { get; set; }
    public required string Title { get; set; }
    public List<Track> Tracks { get; } = [];
}

public sealed class Track : ITimestamped
{
    public long Id { get; set; }
    public required string Name { get; set; }
    public int AlbumId { get; set; }
    public decimal UnitPrice { get; set; }
    public string? Composer { get; set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset UpdatedAt { get; private set; }
}

/// <summary>A context whose model grows, as an app's does between two releases.</summary>
public sealed class Archive(DbContextOptions<Archive> options, bool composers) : DbContext(options)
{
    public bool Composers => composers;

    public DbSet<Album> Albums => Set<Album>();
    public DbSet<Track> Tracks => Set<Track>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Track>(track =>
    {
        track.Property(t => t.Name).HasMaxLength(200);
        track.Property(t => t.UnitPrice).HasPrecision(10, 2);
        track.ToTable(t => t.HasCheckConstraint("ck_tracks_unit_price", "unit_price >= 0"));
        if (!composers) track.Ignore(t => t.Composer);
    });

    internal sealed class ModelKey : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => (((Archive)context).Composers, designTime);
    }
}
