using Keelback.Web;
using Microsoft.AspNetCore.Http;

namespace Keelback.Resources;

/// <summary>Which row a request is about, and in which state.</summary>
internal sealed record RowTarget(object Key, IfMatch Condition)
{
    public static (RowTarget? Target, Problem? Problem) Read(HttpContext http, Type keyType, bool requireIfMatch)
    {
        var (key, noKey) = ResourceRequest.Key(http, keyType);
        if (key is null) return (null, noKey);

        var (condition, broken) = IfMatch.Read(http.Request, requireIfMatch);
        return condition is null ? (null, broken) : (new(key, condition), null);
    }
}
