using Keelback.Jobs;
using Keelback.Web;
using Microsoft.EntityFrameworkCore;

namespace RecordStore;

/// <summary>Hands written mails to the mail system.</summary>
public sealed partial class Mails(StoreDb db, IMailSender sender, TimeProvider clock)
{
    // A mail system cannot join our transaction, so this job runs at least once. The Message-Id is the same
    // each time: should we die between sending and saving, the receiver can tell the second copy from a new mail.
    // It takes ten connections from us, however many workers there are.
    [Job(Queue = "mail", MaxAttempts = 10), Limit("mail-system", Slots = 10)]
    public async Task Deliver(long mailId, CancellationToken ct)
    {
        var mail = await db.Mails.SingleAsync(m => m.Id == mailId, ct);
        if (mail.DeliveredAt is not null) return;

        await sender.SendAsync(new(mail.Recipient, mail.Subject, mail.Body) { MessageId = $"mail-{mail.Id}@recordstore.example" }, ct);

        mail.DeliveredAt = clock.GetUtcNow();
        await db.SaveChangesAsync(ct);
    }
}
