using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Data.Tests;

/// <summary>Timestamps and versions.</summary>
public sealed class RowTests : ShopTest
{
    [Fact]
    public async Task An_insert_takes_both_times_from_the_database()
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        await db.SaveChangesAsync();
        await db.Database.ExecuteSqlAsync($"insert into invoices (number) values ('by hand')");

        Assert.Equal(invoice.CreatedAt, invoice.UpdatedAt);
        Assert.Equal(["2"], await ColumnAsync(
            "select count(*)::text from invoices where created_at = updated_at and created_at > now() - interval '1 minute'"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_update_moves_the_second_time_by_the_apps_clock_to_the_microsecond(bool sync)
    {
        var clock = new FixedClock(DateTimeOffset.Parse("2031-05-06T07:08:09.1234567Z", System.Globalization.CultureInfo.InvariantCulture));
        await using var services = new ServiceCollection().AddSingleton<TimeProvider>(clock).BuildServiceProvider();
        await using var db = Open(o => o.UseApplicationServiceProvider(services));
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        await db.SaveAsync(sync);
        var created = invoice.CreatedAt;

        invoice.Remark = "paid";
        await db.SaveAsync(sync);
        var moved = invoice.UpdatedAt;
        await db.Entry(invoice).ReloadAsync();

        Assert.Equal(clock.GetUtcNow().AddTicks(-7), moved);
        Assert.Equal((created, moved), (invoice.CreatedAt, invoice.UpdatedAt));
    }

    [Fact]
    public async Task A_row_that_changed_since_it_was_read_is_not_overwritten()
    {
        await using var db = Open();
        var invoice = new Invoice { Number = "A-1" };
        db.Add(invoice);
        await db.SaveChangesAsync();
        var version = invoice.Version;
        await db.Database.ExecuteSqlAsync($"update invoices set remark = 'by another'");

        invoice.Remark = "mine";
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync());

        Assert.NotEqual(0u, version);
        Assert.Equal(["by another"], await ColumnAsync("select remark from invoices"));
        Assert.Empty(await ColumnAsync("select column_name::text from information_schema.columns where table_name = 'invoices' and column_name = 'version'"));
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
