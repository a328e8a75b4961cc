using Microsoft.AspNetCore.Http;

namespace Keelback.Ops;

/// <summary>The HTTP status that says the same as an error.</summary>
internal static class RefusalStatus
{
    public static int Of(KeelbackException e) => e.Code switch
    {
        "KB1218" or "KB1228" or "KB1260" or "KB1703" or "KB1704" or "KB1714" or "KB1715" or "KB1719" or "KB1721" or "KB1730" => StatusCodes.Status404NotFound,
        "KB1706" or "KB1231" or "KB1232" or "KB1233" or "KB1243" or "KB1261" or "KB1262" or "KB1264" or "KB1265" or "KB1725" or "KB1726" => StatusCodes.Status409Conflict,
        "KB1270" or "KB1271" => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };
}
