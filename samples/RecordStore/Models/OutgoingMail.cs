using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;

namespace RecordStore;

/// <summary>A mail the shop owes someone: written with what caused it, delivered afterwards.</summary>
/// <remarks>No unique key on the invoice. That a receipt is written once is the engine's promise, not an index's.</remarks>
[Table("mail")]
public sealed class OutgoingMail
{
    public long Id { get; init; }

    public int InvoiceId { get; init; }

    public Invoice Invoice { get; init; } = null!;

    [MaxLength(254)]
    public required string Recipient { get; init; }

    [MaxLength(200)]
    public required string Subject { get; init; }

    public required string Body { get; init; }

    public DateTimeOffset WrittenAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; set; }
}
