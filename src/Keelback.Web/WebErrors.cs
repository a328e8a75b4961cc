namespace Keelback.Web;

/// <summary>Every error this package raises. Codes KB1300-KB1399.</summary>
internal static class WebErrors
{
    public static KeelbackException HeaderInjection(string member) => new("KB1301",
        $"The mail's {member} holds a line break, which would begin a new header. Take line breaks out before you build the mail.");

    public static KeelbackException NoRecipient() => new("KB1302",
        "The mail has no recipient. Give at least one address in To.");

    public static KeelbackException BadAddress(string member, string address) => new("KB1303",
        $"The mail's {member} '{address}' is not an address. Write name@example.com, or Name <name@example.com>.");

    public static KeelbackException NotAdded(string method) => new("KB1304",
        $"{method} was called, but Keelback.Web is not among the services. Call AddKeelback(), or AddWeb() on a KeelbackBuilder.");
}
