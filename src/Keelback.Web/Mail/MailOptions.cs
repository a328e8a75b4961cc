namespace Keelback.Web;

/// <summary>How mail leaves the app. Bound from the <c>Keelback:Mail</c> section.</summary>
public sealed class MailOptions
{
    /// <summary>The SMTP server. Default: none; mail is then written as .eml files into <see cref="Folder"/>.</summary>
    public string? Host { get; set; }

    /// <summary>The SMTP server's port. Default 587.</summary>
    public int Port { get; set; } = 587;

    /// <summary>Whether the connection is encrypted by STARTTLS. Default true; a password is never sent without it.</summary>
    public bool Tls { get; set; } = true;

    /// <summary>Default: none, and the server is used without logging in.</summary>
    public string? User { get; set; }

    /// <summary>The user's password.</summary>
    public string? Password { get; set; }

    /// <summary>The sender of mail that names none. Default <c>noreply@localhost</c>.</summary>
    public string From { get; set; } = "noreply@localhost";

    /// <summary>Where .eml files go when there is no <see cref="Host"/>; relative to the content root. Default <c>mail</c>.</summary>
    public string Folder { get; set; } = "mail";

    /// <summary>How long one mail may take. Default 30 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}
