using Microsoft.EntityFrameworkCore;

namespace Keelback.Bench.Sides;

/// <summary>A table of the app's, for rows that are written together with a job.</summary>
internal sealed class Notes(DbContextOptions<Notes> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Note>();
}

internal sealed class Note
{
    public long Id { get; set; }

    public required string Text { get; set; }
}
