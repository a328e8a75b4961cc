using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

[Table("invoice_line")]
public sealed class InvoiceLine
{
    public int Id { get; init; }

    public int InvoiceId { get; set; }

    public Invoice Invoice { get; set; } = null!;

    public int TrackId { get; set; }

    public Track Track { get; set; } = null!;

    [Precision(10, 2)]
    public decimal UnitPrice { get; set; }

    public int Quantity { get; set; }
}
