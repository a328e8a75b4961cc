using Microsoft.Extensions.Logging;

namespace Keelback.Web;

/// <summary>Every line this package logs. Ids 1300-1399; an id is never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1300, LogLevel.Error, "{Method} {Path} failed; the caller got {Status} and trace id {TraceId}")]
    public static partial void RequestFailed(ILogger log, string method, string path, int status, string traceId, Exception e);

    [LoggerMessage(1301, LogLevel.Error, "{Method} {Path} failed after its response had begun; the connection is cut. Trace id {TraceId}")]
    public static partial void ResponseCut(ILogger log, string method, string path, string traceId, Exception e);

    [LoggerMessage(1302, LogLevel.Information, "Mail to {To}: '{Subject}' written to {File}")]
    public static partial void MailWritten(ILogger log, string to, string subject, string file);

    [LoggerMessage(1303, LogLevel.Debug, "{Method} {Path} answered {Status}: {Reason}")]
    public static partial void RequestRefused(ILogger log, string method, string path, int status, string reason, Exception e);

    [LoggerMessage(1304, LogLevel.Debug, "{Type} itself refused the values of a body; the caller got 400")]
    public static partial void ValuesRefused(ILogger log, string type, Exception e);

    [LoggerMessage(1305, LogLevel.Warning, "{Method} {Path} answered 503: {Reason} ({Unsaid} such lines were left out since the last)")]
    public static partial void Unavailable(ILogger log, string method, string path, string reason, int unsaid);
}
