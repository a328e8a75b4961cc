using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Every line this package logs. Ids 1200-1299; an id is never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1200, LogLevel.Information, "Worker {Id} runs jobs of {App}: {Concurrency} at once, queues {Queues}")]
    public static partial void WorkerStarted(ILogger log, int id, string app, int concurrency, string queues);

    [LoggerMessage(1201, LogLevel.Information, "Worker stops: {Running} jobs have {Timeout} to end")]
    public static partial void WorkerStops(ILogger log, int running, TimeSpan timeout);

    [LoggerMessage(1202, LogLevel.Warning, "Worker stopped with {Unfinished} jobs unfinished; they were handed back with their attempt")]
    public static partial void HandedBack(ILogger log, int unfinished);

    [LoggerMessage(1203, LogLevel.Warning, "{Message}")]
    public static partial void UnknownKind(ILogger log, string message);

    [LoggerMessage(1204, LogLevel.Warning, "{Kind} run {RunId}: attempt {Attempt} of {MaxAttempts} failed; again in {Delay}")]
    public static partial void AttemptFailed(ILogger log, string kind, long runId, int attempt, int maxAttempts, TimeSpan delay, Exception e);

    [LoggerMessage(1205, LogLevel.Error, "{Kind} run {RunId} failed with attempt {Attempt}, its last")]
    public static partial void RunFailed(ILogger log, string kind, long runId, int attempt, Exception e);

    [LoggerMessage(1206, LogLevel.Warning, "{Kind} run {RunId}: attempt {Attempt} no longer held the run; what it wrote changed nothing")]
    public static partial void WriteFenced(ILogger log, string kind, long runId, int attempt);

    [LoggerMessage(1207, LogLevel.Warning, "{Kind} run {RunId}: attempt {Attempt} was stopped: {Reason}")]
    public static partial void AttemptStopped(ILogger log, string kind, long runId, int attempt, StopReason reason);

    [LoggerMessage(1208, LogLevel.Warning, "{Workers} workers died: {Sessions} of their sessions were ended, {Runs} runs handed back, {Quarantined} quarantined")]
    public static partial void Rescued(ILogger log, int workers, int sessions, int runs, int quarantined);

    [LoggerMessage(1209, LogLevel.Information, "The database's clock jumped by {Jump}; live workers get {Grace} to renew their leases before the next sweep")]
    public static partial void ClockJumped(ILogger log, TimeSpan jump, TimeSpan grace);

    [LoggerMessage(1210, LogLevel.Information, "A pooler in transaction mode is between us and PostgreSQL: statements are not prepared any more")]
    public static partial void PreparedStatementsOff(ILogger log);

    [LoggerMessage(1211, LogLevel.Warning, "A batch of {Count} outcomes was refused; they are written one by one")]
    public static partial void BatchRefused(ILogger log, int count, Exception e);

    [LoggerMessage(1212, LogLevel.Information, "Retention: {Partitions} old partitions dropped, {Runs} ended runs deleted")]
    public static partial void Retired(ILogger log, int partitions, int runs);

    [LoggerMessage(1250, LogLevel.Information, "{Kind} run {RunId}: attempt {Attempt} did not succeed; again in {Delay}. {Type}: {Reason}")]
    public static partial void AttemptFailedAsExpected(ILogger log, string kind, long runId, int attempt, TimeSpan delay, string type, string reason);

    [LoggerMessage(1251, LogLevel.Information, "{Kind} run {RunId} failed with attempt {Attempt}, its last. {Type}: {Reason}")]
    public static partial void RunFailedAsExpected(ILogger log, string kind, long runId, int attempt, string type, string reason);

    [LoggerMessage(1252, LogLevel.Warning, "'{Kind}' could not be enqueued, and is tried again: {Reason}")]
    public static partial void EnqueueTriedAgain(ILogger log, string kind, string reason);

    [LoggerMessage(1263, LogLevel.Warning, "{Kind} run {RunId}: the graph in its place could not be written, and is tried again: {Reason}")]
    public static partial void ReplacementTriedAgain(ILogger log, string kind, long runId, string reason);

    [LoggerMessage(1264, LogLevel.Warning, "{Kind} run {RunId} has ended, and another transaction has its row locked, or that of one that waits for it: it is written when that one is over. Look for a session that is idle in transaction")]
    public static partial void OutcomeHeldUp(ILogger log, string kind, long runId);

    [LoggerMessage(1265, LogLevel.Warning, "As the worker stopped, {Count} outcomes could not be written: what they are of is handed back, or by the sweep when the lease is over")]
    public static partial void LeftBehind(ILogger log, int count, Exception e);

    [LoggerMessage(1266, LogLevel.Warning, "Run {RunId} is to end, its time is up or its workers have died, and another transaction has its row locked, or that of one that waits for it: it ends when that one is over. Look for a session that is idle in transaction")]
    public static partial void EndHeldUp(ILogger log, long runId);

    [LoggerMessage(1253, LogLevel.Warning, "{Kind} run {RunId}: its progress could not be written")]
    public static partial void ProgressLost(ILogger log, string kind, long runId, Exception e);

    [LoggerMessage(1254, LogLevel.Error, "{Kind} run {RunId}: attempt {Attempt} did not stop within {After} of being told to and was abandoned; it still runs, its slot is free")]
    public static partial void Abandoned(ILogger log, string kind, long runId, int attempt, TimeSpan after);

    [LoggerMessage(1255, LogLevel.Warning, "{Kind} run {RunId}: attempt {Attempt}, which was abandoned, has come to its end; what it returned is dropped")]
    public static partial void AbandonedEnded(ILogger log, string kind, long runId, int attempt);

    [LoggerMessage(1256, LogLevel.Information, "Worker was asked to: paused {Paused}, {Concurrency} jobs at once")]
    public static partial void WorkerOrdered(ILogger log, bool paused, int concurrency);

    [LoggerMessage(1257, LogLevel.Information, "Worker stops: {Reason}")]
    public static partial void WorkerAskedToStop(ILogger log, string reason);

    [LoggerMessage(1258, LogLevel.Warning, "{Lines} lines that runs logged could not be kept")]
    public static partial void RunLogLost(ILogger log, long lines, Exception? e);

    [LoggerMessage(1259, LogLevel.Warning, "A second signal: running jobs are handed back at once")]
    public static partial void StopsAtOnce(ILogger log);

    [LoggerMessage(1260, LogLevel.Warning, "The session of an abandoned transaction could not be ended; its locks stay until it ends by itself")]
    public static partial void SessionNotEnded(ILogger log, Exception e);

    [LoggerMessage(1261, LogLevel.Error, "A subscriber of {Event} failed; the others go on")]
    public static partial void SubscriberFailed(ILogger log, string @event, Exception e);

    [LoggerMessage(1262, LogLevel.Warning, "No job of this app was ever put into the queue '{Queue}', from which this worker takes jobs; it is made now.{Near}")]
    public static partial void QueueMade(ILogger log, string queue, string near);

    [LoggerMessage(1290, LogLevel.Warning, "{Waiting} events wait for their subscribers; what comes is dropped until half of them are told")]
    public static partial void EventsDropped(ILogger log, int waiting);

    [LoggerMessage(1291, LogLevel.Warning, "{Dropped} events were dropped, because their subscribers were too slow")]
    public static partial void EventsWereDropped(ILogger log, long dropped);

    [LoggerMessage(1292, LogLevel.Warning, "{Left} events were not told: a subscriber has not come to its end within {Patience}")]
    public static partial void EventsNotTold(ILogger log, int left, TimeSpan patience);

    [LoggerMessage(1293, LogLevel.Warning, "Events of the ends of {Runs} runs were dropped: how they ended could not be read")]
    public static partial void EndsNotTold(ILogger log, int runs, Exception e);

    [LoggerMessage(1213, LogLevel.Debug, "{Kind} run {RunId} ended: {Outcome}")]
    public static partial void Ended(ILogger log, string kind, long runId, string outcome);

    [LoggerMessage(1240, LogLevel.Information, "Schedule {Name}: new in code, {Trigger}")]
    public static partial void ScheduleAdded(ILogger log, string name, Trigger trigger);

    [LoggerMessage(1241, LogLevel.Information, "Schedule {Name}: changed in code; in force: {Trigger}; overridden at run time: {Overridden}")]
    public static partial void ScheduleChanged(ILogger log, string name, Trigger trigger, bool overridden);

    [LoggerMessage(1242, LogLevel.Warning, "Schedule {Name} is not in the code any more: it was retired, and does not tick")]
    public static partial void ScheduleRetired(ILogger log, string name);

    [LoggerMessage(1243, LogLevel.Error, "Schedule {Name}: the call of the tick at {At} could not be enqueued")]
    public static partial void TickFailed(ILogger log, string name, DateTimeOffset at, Exception e);

    [LoggerMessage(1245, LogLevel.Warning, "Schedule {Name}: its call could not be made at start, and is made anew at each tick; which jobs it enqueues is as it was known before")]
    public static partial void ScheduleCallNotMade(ILogger log, string name, Exception e);

    [LoggerMessage(1246, LogLevel.Warning, "Schedule {Name} is silent until {Next}, not {FromNow}: it ticked while the database's clock was ahead. Resume it, paused or not, and it counts from now")]
    public static partial void ScheduleSilent(ILogger log, string name, DateTimeOffset next, DateTimeOffset fromNow);

    [LoggerMessage(1244, LogLevel.Warning, "Schedule {Name}: {Count} ticks from {At} on did not fire: {Outcome}")]
    public static partial void TicksPassed(ILogger log, string name, int? count, DateTimeOffset at, JobTickOutcome outcome);
}
