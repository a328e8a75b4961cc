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
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(1);

    private readonly PatientEnds _ends = new(clock, log);
    private TimerChoice _starts = new(TimerChoice.Starts, RunChoice.All);
    private TimerChoice _all = new(TimerChoice.Both, RunChoice.All);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        await using var connection = await db.OpenConnectionAsync(stopping);
        if (await LookAsync(connection, stopping)) return TimeSpan.Zero;

        var most = options.Value.PollInterval;
        if (_ends.Again is { } again && again < most) most = again;
        return await TimerStatement.UntilNextAsync(connection, queues.App, _ends.Apart, stopping) is not { } next || next > most ? most
            : next > s_least ? next : s_least;
    }

    /// <summary>One batch, and whoever should know of it. True: there may be more.</summary>
    internal async Task<bool> LookAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var more = false;
        if (_ends.IsOneByOne) (_starts, more) = await NextAsync(connection, _starts, ct); // what only waited for its time need not wait for them

        await _ends.RunAsync(
            async runs =>
            {
                if (runs.Only is null) (_all, more) = await NextAsync(connection, _all with { Runs = runs }, ct);
                else await NextAsync(connection, new(TimerChoice.Ends, runs), ct);
            },
            except => TimerStatement.NextEndAsync(connection, queues.App, except, ct));
        return more || _ends.Again == TimeSpan.Zero;
    }

    /// <summary>One batch from the earliest on, in the transaction that is open on the connection.</summary>
    internal static Task<FiredTimers> FireInsideAsync(NpgsqlConnection connection, string app, RetryRules rules, CancellationToken ct) =>
        FireInsideAsync(connection, app, new(TimerChoice.Both, RunChoice.All), rules, ct);

    /// <summary>One batch from the earliest on, in a transaction of its own.</summary>
    internal static Task<FiredTimers> FireAsync(NpgsqlConnection connection, string app, RetryRules rules, CancellationToken ct) =>
        FireAsync(connection, app, new(TimerChoice.Both, RunChoice.All), rules, ct);

    private static async Task<FiredTimers> FireAsync(
        NpgsqlConnection connection, string app, TimerChoice choice, RetryRules rules, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var fired = await FireInsideAsync(connection, app, choice, rules, ct);
        await transaction.CommitAsync(ct);
        return fired;
    }

    // The timers go with what they caused, or not at all.
    private static async Task<FiredTimers> FireInsideAsync(
        NpgsqlConnection connection, string app, TimerChoice choice, RetryRules rules, CancellationToken ct)
    {
        var fired = await TimerStatement.RunAsync(connection, app, choice, ct);
        var failed = fired.TimedOut.Select(claim =>
        {
            var late = JobErrors.TimedOut(claim.Kind, claim.Timeout ?? default);
            return (Outcome)new Outcome.Failed(claim, JobError.From(late), JobAttemptOutcome.TimedOut, rules.After(claim, late));
        }).ToList();
        if (failed.Count > 0) fired.Failed = (failed, await Exchange.RunAsync(connection, new() { Outcomes = failed }, prepare: false, ct));

        return fired;
    }

    private async Task<(TimerChoice Next, bool IsFull)> NextAsync(NpgsqlConnection connection, TimerChoice choice, CancellationToken ct)
    {
        var fired = await FireAsync(connection, queues.App, choice, rules, ct);
        if (fired.Count > 0) wakes.Workers();
        news.Ended(fired.Expired);
        if (fired.Failed is { } failed) news.Told([.. failed.Outcomes.Where(failed.Result.Wrote)], failed.Result); // the others have just ended by themselves

        // After a full batch the next begins above it: a held snapshot keeps the fired rows, and it would walk over them again. Others may be due in the same microsecond.
        var isFull = fired.Count == choice.Limit;
        return (choice with { After = isFull ? fired.Last.AddMicroseconds(-1) : TimerChoice.Ever }, isFull);
    }
}
