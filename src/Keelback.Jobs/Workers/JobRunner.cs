using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Keelback.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Runs one attempt in a scope of its own, and says how it ended. Never throws.</summary>
internal sealed class JobRunner(
    JobKinds kinds, UnknownKinds unknownKinds, IServiceScopeFactory scopes, TransactionalAttempt transactional, Replacement replacement,
    CurrentAttempt current, RetryRules rules, OutcomeRules outcomes, QueueCatalog queues,
    JobConnections connections, RunWaiters waiters, RunLogSink logs, JobFilters filters, PayloadReader payloads, JobSecrets secrets,
    IOptions<JobsOptions> options, TimeProvider clock, JobTelemetry telemetry, ILogger<JobRunner> log)
{
    // A run whose end this one takes was opened again after this one's first start: nobody wakes it.
    private static readonly TimeSpan s_untilMembersEnd = TimeSpan.FromSeconds(5);

    /// <param name="job">The attempt.</param>
    /// <param name="worker">Whose lease it runs under; names its transaction on the server.</param>
    public async Task<Outcome> RunAsync(RunningJob job, WorkerIdentity worker)
    {
        var claim = job.Claim;
        using var activity = telemetry.Source.StartActivity(claim.Kind, ActivityKind.Consumer, claim.Trace);
        JobTelemetry.Describe(activity, claim, queues.Name(Math.Abs(claim.Queue)));
        activity?.SetTag("keelback.run_id", claim.RunId).SetTag("keelback.attempt", claim.Attempt);

        var started = clock.GetTimestamp();
        using var timeout = claim.Timeout is { } limit
            ? clock.CreateTimer(static job => ((RunningJob)job!).Stop(StopReason.TimedOut), job, limit, Timeout.InfiniteTimeSpan)
            : null;

        Outcome outcome;
        try
        {
            outcome = await CallAsync(job, worker);
        }
        catch (Exception thrown)
        {
            outcome = AfterThrowing(job, Readable(thrown));
        }

        JobTelemetry.End(activity, outcome);
        var tags = new TagList { { "kind", claim.Kind }, { "outcome", outcome.Name } };
        telemetry.Ended.Add(1, tags);
        if (claim.Attempt == 1 && clock.GetUtcNow() - (claim.DueAt ?? JobRun.EnqueuedAtOf(claim.RunId)) - clock.GetElapsedTime(started) is { } waited && waited > TimeSpan.Zero)
            telemetry.Waited.Record(waited.TotalSeconds, new KeyValuePair<string, object?>("kind", claim.Kind));
        telemetry.Duration.Record(clock.GetElapsedTime(started).TotalSeconds, tags);
        return outcome;
    }

    private async Task<Outcome> CallAsync(RunningJob job, WorkerIdentity worker)
    {
        job.Token.ThrowIfCancellationRequested(); // its lease was lost on the way here: no effect of it may begin

        var claim = job.Claim;
        var kind = kinds.Find(claim.Kind)!; // a claim asks for known kinds only
        if (claim.Input.Length == 0) throw JobErrors.ArgumentsTooLarge(claim.Kind);
        if (claim.Input.AsSpan().SequenceEqual("null"u8)) throw JobErrors.MembersGone(claim.RunId, claim.Kind);
        if (claim.Input.AsSpan().SequenceEqual("false"u8)) throw JobExit.Snooze(s_untilMembersEnd);
        using var input = payloads.Read(kind, claim.Input);

        await using var scope = scopes.CreateAsyncScope();
        await using var attempt = Attempt(job);
        scope.ServiceProvider.GetRequiredService<JobContext>().Begin(attempt);
        using var inside = current.Begin(claim.RunId);

        var lines = options.Value.LogLines > 0 && !connections.ArePinned ? logs.Begin(claim, options.Value.LogLines) : null;
        try
        {
            return await CallAsync(kind, scope.ServiceProvider, input, job, attempt, worker);
        }
        finally
        {
            lines?.End();
        }
    }

    private async Task<Outcome> CallAsync(
        JobKind kind, IServiceProvider services, JsonDocument input, RunningJob job, RunningAttempt attempt, WorkerIdentity worker)
    {
        var call = new JobCall(services, input.RootElement, job.Token);
        if (kind.Defaults.Transactional) return await transactional.RunAsync(kind, call, attempt, worker);

        FailPoint.Hit(FailPoint.BeforeEffect);
        var result = await attempt.RunAsync(kind, call);
        if (attempt.Replacement is { } graph) return await replacement.AloneAsync(job.Claim, graph, attempt.Queue, job.Token);
        FailPoint.Hit(FailPoint.BeforeCommit);

        return new Outcome.Succeeded(job.Claim, result);
    }

    private RunningAttempt Attempt(RunningJob job)
    {
        var progress = new ProgressReporter(job, connections, waiters, telemetry, clock, options.Value.ProgressInterval, log);
        DateTimeOffset? deadline = job.Claim.Timeout is { } limit ? clock.GetUtcNow() + limit : null;
        return new(job, queues.Name(Math.Abs(job.Claim.Queue)), deadline, progress, connections, filters, secrets, queues.App, options.Value.MaxPayload);
    }

    // Whatever is thrown must be told of: one whose own text throws is told by its type.
    private static Exception Readable(Exception e)
    {
        try
        {
            return e.Message is not null && e.ToString() is not null ? e : throw new InvalidOperationException("It has no text.");
        }
        catch (Exception unreadable)
        {
            return new InvalidOperationException($"{e.GetType().FullName} was thrown, and reading its message threw {unreadable.GetType().Name}.");
        }
    }

    /// <summary>How an attempt ends that does not come to its end: as its stop has it.</summary>
    public Outcome Abandoned(RunningJob job) => AfterThrowing(job, new OperationCanceledException());

    // Once the token is cancelled, whatever is thrown is taken for its consequence: drivers wrap a cancellation in their own exceptions.
    private Outcome AfterThrowing(RunningJob job, Exception e)
    {
        var claim = job.Claim;
        if (job.Reason is StopReason.Lost or StopReason.Released && SessionWasEnded(e))
        {
            telemetry.FencedWrites.Add(1, new KeyValuePair<string, object?>("kind", claim.Kind));
            Log.WriteFenced(log, claim.Kind, claim.RunId, claim.Attempt);
        }

        if (job.Reason == StopReason.None && e is NewerPayloadException newer) return HandBack(claim, newer.Version);

        var reason = job.Reason == StopReason.TimedOut ? JobErrors.TimedOut(claim.Kind, claim.Timeout ?? default) : e;
        var outcome = outcomes.AfterThrowing(claim, job.Reason, reason);
        if (outcome is Outcome.Failed failed) LogFailure(claim, reason, failed.RetryAfter);
        return outcome;
    }

    // The sweep ended it, so this write came too late; without a reason to stop, the write of the failure will be found too late.
    private static bool SessionWasEnded(Exception? e) => e switch
    {
        null => false,
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.AdminShutdown,
        NpgsqlException { InnerException: IOException or SocketException } => true,
        _ => SessionWasEnded(e.InnerException),
    };

    private Outcome.Snoozed HandBack(Claim claim, int version)
    {
        unknownKinds.ReportNewer(kinds.Find(claim.Kind)!, version);
        return new(claim, TimeSpan.FromSeconds(5 + 25 * Random.Shared.NextDouble()));
    }

    private void LogFailure(Claim claim, Exception e, TimeSpan? retry)
    {
        var isExpected = rules.IsExpected(claim.Kind, e);
        switch (retry)
        {
            case { } delay when isExpected:
                Log.AttemptFailedAsExpected(log, claim.Kind, claim.RunId, claim.Attempt, delay, e.GetType().Name, e.Message);
                break;
            case { } delay:
                Log.AttemptFailed(log, claim.Kind, claim.RunId, claim.Attempt, claim.MaxAttempts, delay, e);
                break;
            case null when isExpected:
                Log.RunFailedAsExpected(log, claim.Kind, claim.RunId, claim.Attempt, e.GetType().Name, e.Message);
                break;
            case null:
                Log.RunFailed(log, claim.Kind, claim.RunId, claim.Attempt, e);
                break;
        }
    }
}
