using Microsoft.Extensions.Logging;

namespace Keelback.Ops;

/// <summary>Every line this package logs. Ids 1700-1749; an id is never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1700, LogLevel.Information, "Jobs pages, opened once by {Link}")]
    public static partial void OpenLink(ILogger log, string link);

    [LoggerMessage(1701, LogLevel.Information, "{Path} (jobs) is closed: no policy is named (Keelback:Ops:Policy)")]
    public static partial void Closed(ILogger log, string path);

    [LoggerMessage(1702, LogLevel.Warning, "{Warning}")]
    public static partial void Warned(ILogger log, string warning);

    [LoggerMessage(1703, LogLevel.Information, "No longer: {Warning}")]
    public static partial void WarningOver(ILogger log, string warning);

    [LoggerMessage(1704, LogLevel.Information, "{Who} ({Via}): {Action} {Target}: {Outcome}")]
    public static partial void Acted(ILogger log, string who, string via, string action, string target, string outcome);

    [LoggerMessage(1705, LogLevel.Warning, "{Message}")]
    public static partial void KeysUnshared(ILogger log, string message);
}
