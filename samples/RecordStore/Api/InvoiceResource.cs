using Keelback.Resources;

namespace RecordStore;

public sealed record InvoiceDto(
    int Id, int CustomerId, string Customer, DateTimeOffset InvoiceDate, string? BillingCity, string? BillingCountry, decimal Total);

/// <summary>Read-only: an invoice comes from a checkout, and is never changed.</summary>
public sealed class InvoiceResource : Resource<Invoice, InvoiceDto>
{
    protected override void Configure(ResourceBuilder<Invoice, InvoiceDto> r) => r
        .Read(i => new InvoiceDto(
            i.Id, i.CustomerId, i.Customer.FirstName + " " + i.Customer.LastName, i.InvoiceDate, i.BillingCity, i.BillingCountry, i.Total))
        .Filter(i => i.CustomerId).Filter(i => i.InvoiceDate, FilterOps.Range).Filter(i => i.Total, FilterOps.Range)
        .Filter(i => i.BillingCountry)
        .Order(i => i.InvoiceDate, i => i.Total)
        .Page(size: 50, max: 200);
}
