using Keelback.Jobs;
using Keelback.Testing;
using RecordStore.Demo;

namespace RecordStore.Tests;

public sealed class SalesTests : KeelbackTest<Program>
{
    [Fact]
    public async Task A_month_is_added_up_by_a_job_for_each_country()
    {
        var march = new DateTimeOffset(2026, 3, 31, 23, 0, 0, TimeSpan.Zero);
        await SellAsync("Norway", 3, march);
        await SellAsync("Norway", 4, march.AddDays(-30));
        await SellAsync("Italy", 20, march);
        await SellAsync(null, 1, march);
        await SellAsync("Italy", 100, march.AddHours(1)); // in April
        await SellAsync("Spain", 100, march.AddDays(-31)); // in February

        var report = await ReportAsync(Sales.Month(new DateOnly(2026, 3, 15)));

        Assert.Equal((new DateOnly(2026, 3, 1), 28m), (report.Month, report.Total));
        Assert.Equal([new("Italy", 1, 20), new("Norway", 2, 7), new("", 1, 1)], report.Countries);
    }

    [Fact]
    public async Task By_itself_it_is_the_newest_month_with_sales()
    {
        var none = await ReportAsync(Sales.Month());

        await SellAsync("Italy", 20, new DateTimeOffset(2026, 1, 5, 0, 0, 0, TimeSpan.Zero));
        await SellAsync("Italy", 30, new DateTimeOffset(2026, 2, 5, 0, 0, 0, TimeSpan.Zero));

        var newest = await ReportAsync(Sales.Month());

        Assert.Equal((null, 0m), (none.Month, none.Total));
        Assert.Equal((new DateOnly(2026, 2, 1), 30m), (newest.Month, newest.Total));
    }

    [Fact]
    public async Task The_made_up_store_has_sold_something_and_sends_its_receipts()
    {
        await Get<Catalogue>().FillAsync(default);
        await Get<Orders>().PlaceAsync(default);

        Assert.True((await ReportAsync(Sales.Month())).Total > 0);
        Assert.Equal(8, Mail.Count);
    }

    private Task<Invoice> SellAsync(string? country, decimal total, DateTimeOffset at) =>
        Make<Invoice>(invoice => (invoice.BillingCountry, invoice.Total, invoice.InvoiceDate) = (country, total, at));

    private async Task<SalesReport> ReportAsync(Job<SalesReport> call)
    {
        var jobs = Get<JobClient>();
        var run = await jobs.EnqueueAsync(call);
        await Jobs.DrainAsync();
        return (await jobs.GetAsync(run))!.Result<SalesReport>()!;
    }
}
