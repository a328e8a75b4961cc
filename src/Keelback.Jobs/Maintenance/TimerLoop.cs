using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>Fires timers when they are due, on every node: what waited becomes ready; attempts that did not stop in time lose their run.</summary>
internal sealed class TimerLoop(
    NpgsqlDataSource db, QueueCatalog queues, JobNews news, JobWakes wakes, RetryRules rules, IOptions<JobsOptions> options, TimeProvider clock,
    ILogger<TimerLoop> log)
    : PollingService(clock, log)
{
    private const int BatchSize = 1000;
    private static readonly DateTime s_start = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(1);

    // Above it while batches are full: a held snapshot keeps the fired rows, and each batch would walk over them again.
    private DateTime _mark = s_start;

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await using var connection = await db.OpenConnectionAsync(stopping);
        var fired = await LookAsync(connection, stopping);

        _mark = fired.Count == BatchSize ? fired.Last.AddMicroseconds(-1) : s_start; // others may be due in the same microsecond
        if (fired.Count == BatchSize) return TimeSpan.Zero;

        var most = options.Value.PollInterval;
        return await TimerStatement.UntilNextAsync(connection, queues.App, stopping) is not { } next || next > most ? most
            : next > s_least ? next : s_least;
    }

    /// <summary>One batch from the mark on, and whoever should know of it.</summary>
    internal async Task<FiredTimers> LookAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var fired = await FireAsync(connection, queues.App, _mark, rules, ct);
        if (fired.Count > 0) wakes.Workers();
        news.Ended(fired.Expired);
        if (fired.Failed is { } failed) news.Told([.. failed.Outcomes.Where(failed.Result.Wrote)], failed.Result); // the others have just ended by themselves
        return fired;
    }

    /// <summary>One batch from the earliest on, in the transaction that is open on the connection.</summary>
    internal static Task<FiredTimers> FireInsideAsync(NpgsqlConnection connection, string app, RetryRules rules, CancellationToken ct) =>
        FireInsideAsync(connection, app, s_start, rules, ct);

    /// <summary>One batch from the earliest on, in a transaction of its own.</summary>
    internal static Task<FiredTimers> FireAsync(NpgsqlConnection connection, string app, RetryRules rules, CancellationToken ct) =>
        FireAsync(connection, app, s_start, rules, ct);

    private static async Task<FiredTimers> FireAsync(
        NpgsqlConnection connection, string app, DateTime after, RetryRules rules, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var fired = await FireInsideAsync(connection, app, after, rules, ct);
        await transaction.CommitAsync(ct);
        return fired;
    }

    // The timers go with what they caused, or not at all.
    private static async Task<FiredTimers> FireInsideAsync(
        NpgsqlConnection connection, string app, DateTime after, RetryRules rules, CancellationToken ct)
    {
        var fired = await TimerStatement.RunAsync(connection, app, after, BatchSize, ct);
        var failed = fired.TimedOut.Select(claim =>
        {
            var late = JobErrors.TimedOut(claim.Kind, claim.Timeout ?? default);
            return (Outcome)new Outcome.Failed(claim, JobError.From(late), JobAttemptOutcome.TimedOut, rules.After(claim, late));
        }).ToList();
        if (failed.Count > 0) fired.Failed = (failed, await Exchange.RunAsync(connection, new() { Outcomes = failed }, prepare: false, ct));

        return fired;
    }
}
