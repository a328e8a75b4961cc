using Microsoft.EntityFrameworkCore;

namespace RecordStore;

public sealed class StoreDb(DbContextOptions<StoreDb> options) : DbContext(options)
{
    public DbSet<Artist> Artists => Set<Artist>();

    public DbSet<Album> Albums => Set<Album>();

    public DbSet<Track> Tracks => Set<Track>();

    public DbSet<Genre> Genres => Set<Genre>();

    public DbSet<MediaType> MediaTypes => Set<MediaType>();

    public DbSet<Playlist> Playlists => Set<Playlist>();

    public DbSet<PlaylistTrack> PlaylistTracks => Set<PlaylistTrack>();

    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Employee> Employees => Set<Employee>();

    public DbSet<Invoice> Invoices => Set<Invoice>();

    public DbSet<InvoiceLine> InvoiceLines => Set<InvoiceLine>();

    public DbSet<OutgoingMail> Mails => Set<OutgoingMail>();

    public DbSet<ImportRun> Imports => Set<ImportRun>();

    public DbSet<ImportFile> ImportFiles => Set<ImportFile>();

    public DbSet<ImportReject> ImportRejects => Set<ImportReject>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Playlist>().HasMany(p => p.Tracks).WithMany(t => t.Playlists).UsingEntity<PlaylistTrack>();

        // What still leads somewhere is not deleted from under it; only a playlist's entries go with what they join.
        var entities = modelBuilder.Model.GetEntityTypes().Where(entity => entity.ClrType != typeof(PlaylistTrack));
        foreach (var key in entities.SelectMany(entity => entity.GetForeignKeys())) key.DeleteBehavior = DeleteBehavior.Restrict;

        Check<Employee>("employee_reports_to", "reports_to <> id");
        Check<Track>("track_milliseconds", "milliseconds > 0");
        Check<Track>("track_bytes", "bytes >= 0");
        Check<Track>("track_unit_price", "unit_price >= 0");
        Check<Invoice>("invoice_total", "total >= 0");
        Check<InvoiceLine>("invoice_line_unit_price", "unit_price >= 0");
        Check<InvoiceLine>("invoice_line_quantity", "quantity > 0");

        void Check<T>(string name, string sql)
            where T : class => modelBuilder.Entity<T>().ToTable(table => table.HasCheckConstraint(name, sql));
    }
}
