using Keelback.Web;

namespace Keelback.Testing;

/// <summary>Keeps what would have been sent.</summary>
internal sealed class OutboxSender(MailOutbox outbox) : IMailSender
{
    public Task SendAsync(Mail mail, CancellationToken ct)
    {
        outbox.Add(mail);
        return Task.CompletedTask;
    }
}
