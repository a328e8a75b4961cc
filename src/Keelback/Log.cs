using Microsoft.Extensions.Logging;

namespace Keelback;

/// <summary>Every line this package logs. Ids 1500-1599; an id is never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1500, LogLevel.Warning, "{Code}: {Message} {Hint}")]
    public static partial void CheckWarned(ILogger log, string code, string message, string hint);

    [LoggerMessage(1501, LogLevel.Information, "Draining: /health/ready answers 503; the server stops listening in {Delay}")]
    public static partial void Draining(ILogger log, TimeSpan delay);

    [LoggerMessage(1503, LogLevel.Information, "Ready for requests")]
    public static partial void Ready(ILogger log);

    [LoggerMessage(1504, LogLevel.Warning, "Not ready for requests: {Checks}")]
    public static partial void NotReady(ILogger log, string checks, Exception? e);
}
