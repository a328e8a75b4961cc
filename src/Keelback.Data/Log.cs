using Microsoft.Extensions.Logging;

namespace Keelback.Data;

/// <summary>Every line this package logs. Ids 1100-1199; an id is never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Error, "An OnCommit callback failed; the commit stands")]
    public static partial void CallbackFailed(ILogger log, Exception e);

    [LoggerMessage(1101, LogLevel.Warning, "{Context} was disposed with {Pending} pieces of work and {Callbacks} callbacks that no commit followed")]
    public static partial void ContextEndedWithWork(ILogger log, string context, int pending, int callbacks);

    [LoggerMessage(1102, LogLevel.Debug, "Rolling back to the savepoint failed; the first failure is thrown")]
    public static partial void SavepointLost(ILogger log, Exception e);
}
