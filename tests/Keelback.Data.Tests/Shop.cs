using Microsoft.EntityFrameworkCore;

namespace Keelback.Data.Tests;

public sealed class Invoice : ITimestamped, IVersioned
{
    public long Id { get; set; }
    public required string Number { get; set; }
    public string? Remark { get; set; }
    public List<InvoiceLine> Lines { get; } = [];
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset UpdatedAt { get; private set; }
    public uint Version { get; private set; }
}

public sealed class InvoiceLine
{
    public long Id { get; set; }
    public long InvoiceId { get; set; }
    public int Quantity { get; set; }
}

public sealed class Shop(DbContextOptions<Shop> options) : DbContext(options)
{
    public DbSet<Invoice> Invoices => Set<Invoice>();
    public DbSet<InvoiceLine> Lines => Set<InvoiceLine>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Invoice>(invoice =>
        {
            invoice.HasIndex(i => i.Number).IsUnique();
            invoice.Property(i => i.Number).HasMaxLength(20);
            invoice.ToTable(t => t.HasCheckConstraint("ck_invoices_number", "number <> ''"));
        });
        modelBuilder.Entity<InvoiceLine>().ToTable(t => t.HasCheckConstraint("ck_lines_quantity", "quantity > 0"));
    }
}
