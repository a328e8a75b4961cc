using Keelback;
using Keelback.Web;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

/// <summary><c>POST /api/checkout</c>: the invoice, its lines and the job that sends the receipt, in one transaction.</summary>
public static class Checkout
{
    public static async Task<IResult> Post(Valid<CheckoutInput> body, StoreDb db, TimeProvider clock, CancellationToken ct)
    {
        var order = body.Value;
        var customer = await db.Customers.FindAsync([order.CustomerId], ct);
        var wanted = order.Lines.Select(line => line.TrackId).ToList();
        var prices = await db.Tracks
            .Where(track => wanted.Contains(track.Id))
            .ToDictionaryAsync(track => track.Id, track => track.UnitPrice, ct);

        var unknown = Unknown(order, customer, prices).ToList();
        if (unknown.Count > 0) return Problem.Input(unknown);

        var invoice = new Invoice
        {
            CustomerId = order.CustomerId,
            InvoiceDate = clock.GetUtcNow(),
            BillingAddress = customer!.Address,
            BillingCity = customer.City,
            BillingState = customer.State,
            BillingCountry = customer.Country,
            BillingPostalCode = customer.PostalCode,
            Total = order.Lines.Sum(line => line.Quantity * prices[line.TrackId]),
            Lines = [.. order.Lines.Select(line => new InvoiceLine
            {
                TrackId = line.TrackId,
                Quantity = line.Quantity,
                UnitPrice = prices[line.TrackId],
            })],
        };
        db.Invoices.Add(invoice);
        db.Enqueue(() => Receipts.Send(invoice.Id));
        await db.SaveChangesAsync(ct);

        return Results.Created($"/api/invoices/{invoice.Id}", new CheckoutReceipt(invoice.Id, invoice.Total));
    }

    private static IEnumerable<FieldError> Unknown(CheckoutInput order, Customer? customer, Dictionary<int, decimal> prices)
    {
        if (customer is null)
            yield return FieldError.InBody("/customerId", "unknown", $"There is no customer {order.CustomerId}.");

        foreach (var (i, line) in order.Lines.Index())
            if (!prices.ContainsKey(line.TrackId))
                yield return FieldError.InBody($"/lines/{i}/trackId", "unknown", $"There is no track {line.TrackId}.");
    }
}

/// <summary>The answer to a checkout.</summary>
public sealed record CheckoutReceipt(int InvoiceId, decimal Total);
