using System.Net;
using System.Net.Mail;
using Microsoft.Extensions.Options;

namespace Keelback.Web;

/// <summary>Sends by SMTP, a connection a mail.</summary>
internal sealed class SmtpMailSender(IOptions<MailOptions> options, TimeProvider clock) : IMailSender
{
    public async Task SendAsync(Mail mail, CancellationToken ct)
    {
        var o = options.Value;
        using var message = MailBuilder.Build(mail, o.From);
        using var client = new SmtpClient(o.Host, o.Port) { EnableSsl = o.Tls };
        if (o.User is not null && o.Tls) client.Credentials = new NetworkCredential(o.User, o.Password);

        // SmtpClient's own Timeout does not bind SendMailAsync.
        using var timeout = new CancellationTokenSource(o.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        await client.SendMailAsync(message, either.Token);
    }
}
