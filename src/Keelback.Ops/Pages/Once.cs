using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Keelback.Ops;

/// <summary>Makes one run of a form that is sent twice: a hidden field, another on each page that is loaded.</summary>
internal static class Once
{
    private const string Name = "once";

    /// <param name="sent">The form that comes back to be corrected; null: a new one.</param>
    public static Markup Field(IFormCollection? sent = null)
    {
        var page = sent?[Name].ToString() is { Length: > 0 } same ? same : Guid.CreateVersion7().ToString("N");
        return Html.Of($"""<input type="hidden" name="{Name}" value="{page}" autocomplete="off">"""); // some browsers put the old value back
    }

    /// <summary>The id of the call: who goes back and types something else means another one. Null: a page of a version that had no such field.</summary>
    public static Guid? IdOf(IFormCollection sent, string typed = "") => sent[Name].ToString() is not { Length: > 0 } page ? null
        : new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{page}\n{typed}")).AsSpan(0, 16));
}
