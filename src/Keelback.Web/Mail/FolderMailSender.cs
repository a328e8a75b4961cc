using System.Net.Mail;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Keelback.Web;

/// <summary>Writes each mail as an .eml file, which mail programs open: what development uses instead of a mail system.</summary>
internal sealed class FolderMailSender(
    IOptions<MailOptions> options, IHostEnvironment environment, ILogger<FolderMailSender> log) : IMailSender
{
    public async Task SendAsync(Mail mail, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        using var message = MailBuilder.Build(mail, options.Value.From);
        var folder = Path.GetFullPath(Path.Combine(environment.ContentRootPath, options.Value.Folder));
        Directory.CreateDirectory(folder);

        // SmtpClient chooses a file name itself; a folder of its own shows which, and the move makes the mail appear whole.
        var drop = Directory.CreateDirectory(Path.Combine(folder, ".drop-" + Guid.CreateVersion7().ToString("N")));
        try
        {
            using var client = new SmtpClient
            {
                DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory,
                PickupDirectoryLocation = drop.FullName,
            };
            await client.SendMailAsync(message, ct);

            var file = Path.Combine(folder, Guid.CreateVersion7().ToString("N") + ".eml");
            drop.GetFiles("*.eml").Single().MoveTo(file);
            Log.MailWritten(log, string.Join(", ", mail.To), mail.Subject, file);
        }
        finally
        {
            drop.Delete(recursive: true);
        }
    }
}
