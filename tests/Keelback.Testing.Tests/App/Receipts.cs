using Keelback.Jobs;
using Keelback.Web;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Testing.Tests.App;

public sealed partial class Receipts(ShopDb db, IMailSender mail)
{
    [Job(Transactional = true)]
    public async Task Send(long saleId, CancellationToken ct)
    {
        var sale = (await db.Sales.FindAsync([saleId], ct))!;
        await mail.SendAsync(new("ada@example.com", $"Receipt {saleId}: {sale.Quantity}", "Thank you."), ct);
    }

    [Job, Schedule("0 6 * * *", Zone = "Europe/Berlin", Overlap = Overlap.Skip)]
    public async Task Report(string? title = null, CancellationToken ct = default) =>
        await mail.SendAsync(new("ada@example.com", title ?? $"{await db.Sales.CountAsync(ct)} sales", "As every morning."), ct);

    [Job]
    public async Task Remind(long saleId, CancellationToken ct) =>
        await mail.SendAsync(new("ada@example.com", $"How is {saleId}?", "Tell us."), ct);
}
