using Microsoft.Extensions.Logging;

namespace Keelback.Postgres;

/// <summary>Every line this package logs. Ids 1000-1099; an id is never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Error, "{Service} failed; trying again in {RetryAfter}")]
    public static partial void PollFailed(ILogger log, string service, TimeSpan retryAfter, Exception e);

    [LoggerMessage(1001, LogLevel.Information, "System schema: {Module} {Number:0000} {Name} applied")]
    public static partial void MigrationApplied(ILogger log, string module, int number, string name);

    [LoggerMessage(1002, LogLevel.Warning, "PostgreSQL at {Server} does not answer yet ({Reason}); waiting up to {Left} more")]
    public static partial void WaitingForDatabase(ILogger log, string server, TimeSpan left, string reason);

    [LoggerMessage(1003, LogLevel.Warning, "{Service} cannot reach PostgreSQL ({Reason}); trying again in {RetryAfter}. Lines left out since the last: {Unsaid}")]
    public static partial void DatabaseAway(ILogger log, string service, string reason, TimeSpan retryAfter, int unsaid);

    [LoggerMessage(1004, LogLevel.Information, "No database is configured: using the project's private cluster on port {Port}, in {Folder}")]
    public static partial void PrivateCluster(ILogger log, int port, string folder);

    [LoggerMessage(1020, LogLevel.Warning, "Heartbeat of {Worker} failed; its work is dropped before the lease ends")]
    public static partial void HeartbeatFailed(ILogger log, string worker, Exception e);

    [LoggerMessage(1021, LogLevel.Warning, "{Worker} lost its lease and dropped its work; it goes on as worker {Id}, epoch {Epoch}")]
    public static partial void LeaseLost(ILogger log, string worker, int id, long epoch);
}
