using Microsoft.EntityFrameworkCore;

namespace Keelback.Jobs.Tests;

/// <summary>An app's context, for jobs that are enqueued with its rows.</summary>
internal sealed class Store(DbContextOptions<Store> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    /// <summary>SaveChanges in either colour, so that one test can hold for both.</summary>
    public Task<int> SaveAsync(bool sync, bool accept = true) => sync ? Task.FromResult(SaveChanges(accept)) : SaveChangesAsync(accept);

    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.Entity<Order>().ToTable(t => t.HasCheckConstraint("ck_orders_number", "number <> ''"));
}

internal sealed class Order
{
    public int Id { get; set; }
    public required string Number { get; set; }
}
