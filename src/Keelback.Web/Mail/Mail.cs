namespace Keelback.Web;

/// <summary>One mail. Addresses are <c>name@example.com</c> or <c>Name &lt;name@example.com&gt;</c>.</summary>
/// <param name="To">At least one recipient.</param>
/// <param name="Subject">One line; a line break is an error (KB1301).</param>
/// <param name="Text">The plain text.</param>
public sealed record Mail(IReadOnlyList<string> To, string Subject, string Text)
{
    /// <summary>A mail to one recipient.</summary>
    public Mail(string to, string subject, string text) : this([to], subject, text)
    {
    }

    /// <summary>The same in HTML, sent beside the text. Default: none.</summary>
    public string? Html { get; init; }

    /// <summary>The sender. Default: <see cref="MailOptions.From"/>.</summary>
    public string? From { get; init; }

    /// <summary>Where answers go. Default: the sender.</summary>
    public string? ReplyTo { get; init; }

    /// <summary>
    /// Message-Id without the angle brackets, such as <c>receipt-42@shop.example</c>. A job that may run twice gives the same one
    /// each time, so that mail systems can drop the second. Default: the mail system makes one.
    /// </summary>
    public string? MessageId { get; init; }
}
