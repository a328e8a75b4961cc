using Microsoft.Extensions.Logging;

namespace Keelback.Postgres;

/// <summary>Every line this package logs. Ids 1000-1099; an id is never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Error, "{Service} failed; trying again in {RetryAfter}")]
    public static partial void PollFailed(ILogger log, string service, TimeSpan retryAfter, Exception e);

    [LoggerMessage(1001, LogLevel.Information, "System schema: {Module} {Number:0000} {Name} applied")]
    public static partial void MigrationApplied(ILogger log, string module, int number, string name);
}
