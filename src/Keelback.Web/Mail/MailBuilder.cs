using System.Net.Mail;
using System.Net.Mime;
using System.Text;

namespace Keelback.Web;

/// <summary>Makes the message that System.Net.Mail sends, and lets no value begin a header of its own.</summary>
internal static class MailBuilder
{
    public static MailMessage Build(Mail mail, string defaultFrom)
    {
        if (mail.To.Count == 0) throw WebErrors.NoRecipient();

        var message = new MailMessage
        {
            From = Address(nameof(mail.From), mail.From ?? defaultFrom),
            Subject = OneLine(nameof(mail.Subject), mail.Subject),
            SubjectEncoding = Encoding.UTF8,
            Body = mail.Text,
            BodyEncoding = Encoding.UTF8,
        };
        foreach (var to in mail.To) message.To.Add(Address(nameof(mail.To), to));
        if (mail.ReplyTo is not null) message.ReplyToList.Add(Address(nameof(mail.ReplyTo), mail.ReplyTo));
        if (mail.MessageId is not null) message.Headers.Add("Message-Id", $"<{OneLine(nameof(mail.MessageId), mail.MessageId)}>");
        if (mail.Html is not null)
            message.AlternateViews.Add(AlternateView.CreateAlternateViewFromString(mail.Html, Encoding.UTF8, MediaTypeNames.Text.Html));

        return message;
    }

    private static MailAddress Address(string member, string text) =>
        MailAddress.TryCreate(OneLine(member, text), out var address) ? address : throw WebErrors.BadAddress(member, text);

    private static string OneLine(string member, string text) =>
        text.AsSpan().ContainsAny('\r', '\n', '\0') ? throw WebErrors.HeaderInjection(member) : text;
}
