using System.Globalization;
using System.Text;
using Keelback;
using Keelback.Jobs;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

/// <summary>Writes the receipt of an invoice: the mail's row, the job that delivers it, and this job's own end commit together.</summary>
public sealed partial class Receipts(StoreDb db, TimeProvider clock, StoreSettings settings)
{
    [Job(Queue = "mail", MaxAttempts = 5, Transactional = true)]
    public async Task Send(int invoiceId, CancellationToken ct)
    {
        await settings.PretendToWorkAsync(clock, ct);

        var invoice = await db.Invoices
            .Include(i => i.Customer)
            .Include(i => i.Lines).ThenInclude(line => line.Track)
            .AsSplitQuery()
            .SingleAsync(i => i.Id == invoiceId, ct);

        var mail = new OutgoingMail
        {
            InvoiceId = invoice.Id,
            Recipient = invoice.Customer.Email,
            Subject = $"Your receipt for invoice {invoice.Id}",
            Body = Text(invoice),
            WrittenAt = clock.GetUtcNow(),
        };
        db.Mails.Add(mail);
        db.Enqueue(() => Mails.Deliver(mail.Id));
        await db.SaveChangesAsync(ct);
    }

    private static string Text(Invoice invoice)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Dear {invoice.Customer.FirstName} {invoice.Customer.LastName},");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"thank you for your order of {invoice.InvoiceDate:d MMMM yyyy}.");
        text.AppendLine();
        foreach (var line in invoice.Lines.OrderBy(line => line.Id))
            text.AppendLine(CultureInfo.InvariantCulture, $"{line.Quantity,4} × {line.Track.Name}  {line.Quantity * line.UnitPrice:0.00}");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Total: {invoice.Total:0.00}");

        return text.ToString();
    }
}
