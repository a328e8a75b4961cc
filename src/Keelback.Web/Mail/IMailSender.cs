namespace Keelback.Web;

/// <summary>Hands mail to a mail system. Register your own before <c>AddWeb</c> to send by an API.</summary>
public interface IMailSender
{
    /// <summary>Returns when the mail system took the mail; throws when it did not, or when the mail cannot be a mail (KB1301-KB1303).</summary>
    Task SendAsync(Mail mail, CancellationToken ct);
}
