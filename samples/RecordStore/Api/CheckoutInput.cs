using System.ComponentModel.DataAnnotations;

namespace RecordStore;

/// <summary>What a customer wants to buy: <c>{"customerId": 5, "lines": [{"trackId": 1, "quantity": 2}]}</c>.</summary>
public sealed record CheckoutInput
{
    public required int CustomerId { get; init; }

    [Length(1, 100)]
    public required IReadOnlyList<CheckoutLine> Lines { get; init; }
}

public sealed record CheckoutLine
{
    public required int TrackId { get; init; }

    [Range(1, 1000)]
    public required int Quantity { get; init; }
}
