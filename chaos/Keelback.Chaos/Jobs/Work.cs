using System.Diagnostics;
using Keelback.Jobs;

namespace Keelback.Chaos;

/// <summary>Jobs whose effects only the ledger sees: at least once.</summary>
internal sealed partial class Work(JobContext context, Ledger ledger)
{
    // Each failure of the database that meets a transaction spends an attempt, and there are many.
    public const int Many = 1000;

    [Job("plain", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public async Task Plain(long call, int ms, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        await Task.Delay(ms, ct);
        attempt.Ok();
    }

    [Job("member", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public async Task<long> Member(long call, long value, int ms, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        await Task.Delay(ms, ct);
        attempt.Ok();
        return value;
    }

    /// <summary>The inner body of a nested chord.</summary>
    [Job("add", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public Task<long> Add(long call, long[] results, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        attempt.Ok();
        return Task.FromResult(results.Sum());
    }

    [Job("text", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public Task Text(long call, string text, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        if (!text.Contains("🜁", StringComparison.Ordinal)) throw new InvalidOperationException($"The text came as '{text}'.");
        attempt.Ok();
        return Task.CompletedTask;
    }

    [Job("flaky", MaxAttempts = Many, RetryDelay = "00:00:00.2", MaxRetryDelay = "00:00:01")]
    public Task Flaky(long call, int fails, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        if (context.Attempt - context.Crashes <= fails) throw new InvalidOperationException("Not yet.");
        attempt.Ok();
        return Task.CompletedTask;
    }

    [Job("throws", MaxAttempts = 3, RetryDelay = "00:00:00.2", MaxRetryDelay = "00:00:01")]
    public Task<long> Throws(long call, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        throw new InvalidOperationException("Never.");
    }

    [Job("kills", MaxAttempts = 3)]
    public Task Kills(long call, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        Environment.FailFast("A job that takes its process with it.");
        return Task.CompletedTask;
    }

    /// <summary>Longer than its timeout, and deaf to its token.</summary>
    [Job("deaf", MaxAttempts = 2, Timeout = "00:00:01", RetryDelay = "00:00:00.2", MaxRetryDelay = "00:00:01")]
    public async Task Deaf(long call, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(9)) await Task.Delay(500, CancellationToken.None);
        attempt.Ok();
    }

    [Job("swells", MaxAttempts = 3)]
    public Task<string> Swells(long call, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        attempt.Ok();
        return Task.FromResult(new string('x', 300_000));
    }

    /// <summary>At most two at once of each of three groups.</summary>
    [Job("limited", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02"), Limit("narrow:{group}", Slots = LimitedSlots)]
    public async Task Limited(long call, long group, int ms, CancellationToken ct)
    {
        if (group != call % Groups) throw new InvalidOperationException($"Group {group} of call {call}.");
        using var attempt = ledger.Begin(context, call);
        await Task.Delay(ms, ct);
        attempt.Ok();
    }

    public const int LimitedSlots = 2;

    public const int Groups = 3;

    [Job("paced", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02"), Limit("pace", PerSecond = PacePerSecond)]
    public Task Paced(long call, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        attempt.Ok();
        return Task.CompletedTask;
    }

    public const int PacePerSecond = 2;

    /// <summary>One of each group is open; who calls meanwhile gets it.</summary>
    [Job("solo", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02"), Unique("{group}")]
    public async Task Solo(long call, long group, int ms, CancellationToken ct)
    {
        if (group != call % Groups) throw new InvalidOperationException($"Group {group} of call {call}.");
        using var attempt = ledger.Begin(context, call);
        await Task.Delay(ms, ct);
        attempt.Ok();
    }

    /// <summary>What a map's members are of.</summary>
    [Job("numbers", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public Task<long[]> Numbers(long call, long[] values, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        attempt.Ok();
        return Task.FromResult(values);
    }

    /// <summary>What a schedule enqueues each second.</summary>
    [Job("tick", MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public Task Tick(string schedule, long at, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, 0);
        return attempt.Ok(schedule, at);
    }

    /// <summary>Only the newer version of the program has it.</summary>
    [Job(Newer, MaxAttempts = Many, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public Task OfVersionTwo(long call, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        attempt.Ok();
        return Task.CompletedTask;
    }

    public const string Newer = "newer";
}
