using Keelback.Jobs;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

/// <summary>What was sold in a month: a job for each country, as many as there are, and one that adds up.</summary>
public sealed partial class Sales(StoreDb db, JobContext context)
{
    /// <summary>Each night, of the newest month that has sales; by hand of any.</summary>
    [Job(Queue = "reports"), Schedule("H 2 * * *")]
    public async Task<SalesReport> Month(DateOnly? month = null, CancellationToken ct = default)
    {
        if ((month ?? await NewestAsync(ct)) is not { } day) return new(Month: null, Total: 0, []);

        var first = day.AddDays(1 - day.Day);
        return context.Replace(Total(first, Job.Map(Countries(first), country => Country(first, country))));
    }

    [Job(Queue = "reports")]
    public async Task<string[]> Countries(DateOnly month, CancellationToken ct) =>
        await In(month).Select(invoice => invoice.BillingCountry ?? "").Distinct().Order().ToArrayAsync(ct);

    [Job(Queue = "reports")]
    public async Task<CountrySales> Country(DateOnly month, string country, CancellationToken ct)
    {
        var totals = In(month).Where(invoice => (invoice.BillingCountry ?? "") == country).Select(invoice => invoice.Total);
        return new(country, await totals.CountAsync(ct), await totals.SumAsync(ct));
    }

    [Job(Queue = "reports")]
    public Task<SalesReport> Total(DateOnly month, IReadOnlyList<CountrySales> countries, CancellationToken ct) =>
        Task.FromResult(new SalesReport(month, countries.Sum(country => country.Total), [.. countries.OrderByDescending(country => country.Total)]));

    private async Task<DateOnly?> NewestAsync(CancellationToken ct) =>
        await db.Invoices.MaxAsync(invoice => (DateTimeOffset?)invoice.InvoiceDate, ct) is { } at ? DateOnly.FromDateTime(at.UtcDateTime) : null;

    private IQueryable<Invoice> In(DateOnly month)
    {
        var (from, to) = (Start(month), Start(month.AddMonths(1)));
        return db.Invoices.Where(invoice => invoice.InvoiceDate >= from && invoice.InvoiceDate < to);

        static DateTimeOffset Start(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);
    }
}

/// <summary>A month's sales; without a month, nothing was ever sold.</summary>
public sealed record SalesReport(DateOnly? Month, decimal Total, IReadOnlyList<CountrySales> Countries);

/// <summary>One country's.</summary>
public sealed record CountrySales(string Country, int Invoices, decimal Total);
