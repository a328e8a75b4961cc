using Keelback;
using Microsoft.EntityFrameworkCore;

namespace RecordStore.Demo;

/// <summary>What the customers of the made-up store bought in the last days: as a checkout has it, each with the job that sends its receipt.</summary>
public sealed class Orders(StoreDb db, TimeProvider clock)
{
    /// <summary>One order of each customer.</summary>
    public async Task PlaceAsync(CancellationToken ct)
    {
        var dice = new Random(1887);
        var tracks = await db.Tracks.OrderBy(track => track.Id).ToArrayAsync(ct);
        foreach (var customer in await db.Customers.OrderBy(customer => customer.Id).ToListAsync(ct))
        {
            var invoice = Order(customer, [.. dice.GetItems(tracks, dice.Next(1, 6)).Distinct()], clock.GetUtcNow().AddHours(-dice.Next(1, 72)));
            db.Add(invoice);
            db.Enqueue(() => Receipts.Send(invoice.Id));
        }

        await db.SaveChangesAsync(ct);
    }

    private static Invoice Order(Customer customer, IReadOnlyList<Track> wanted, DateTimeOffset at) => new()
    {
        Customer = customer,
        InvoiceDate = at,
        BillingCity = customer.City,
        BillingCountry = customer.Country,
        Total = wanted.Sum(track => track.UnitPrice),
        Lines = [.. wanted.Select(track => new InvoiceLine { Track = track, Quantity = 1, UnitPrice = track.UnitPrice })],
    };
}
