using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Keelback.Web;

/// <summary>Takes SMTP where a host is configured, else files.</summary>
internal static class MailSender
{
    public static IMailSender Choose(IServiceProvider services) =>
        string.IsNullOrWhiteSpace(services.GetRequiredService<IOptions<MailOptions>>().Value.Host)
            ? ActivatorUtilities.CreateInstance<FolderMailSender>(services)
            : ActivatorUtilities.CreateInstance<SmtpMailSender>(services);
}
