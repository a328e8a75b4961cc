using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("invoice")]
public sealed class Invoice
{
    public int Id { get; init; }

    public int CustomerId { get; set; }

    public Customer Customer { get; set; } = null!;

    public DateTimeOffset InvoiceDate { get; set; }

    // The address as it was on the day: a customer may move, an invoice may not.
    [MaxLength(70)]
    public string? BillingAddress { get; set; }

    [MaxLength(40)]
    public string? BillingCity { get; set; }

    [MaxLength(40)]
    public string? BillingState { get; set; }

    [MaxLength(40)]
    public string? BillingCountry { get; set; }

    [MaxLength(10)]
    public string? BillingPostalCode { get; set; }

    [Precision(18, 2)] // 100 lines of the dearest track fit
    public decimal Total { get; set; }

    public List<InvoiceLine> Lines { get; init; } = [];
}
