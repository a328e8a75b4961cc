using Keelback.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Chaos;

/// <summary>Jobs whose effects commit with their completion: each exactly once.</summary>
internal sealed partial class Effects(JobContext context, Ledger ledger, ChaosDb db)
{
    [Job("tx", MaxAttempts = Work.Many, Transactional = true, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public async Task Tx(long call, int ms, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        await db.Database.ExecuteSqlAsync($"insert into tx_effect values ({context.RunId}, {call}, {context.Attempt})", ct);
        await Task.Delay(ms, ct);
        attempt.Ok();
    }

    /// <summary>The body of a chord.</summary>
    [Job("body", MaxAttempts = Work.Many, Transactional = true, RetryDelay = "00:00:01", MaxRetryDelay = "00:00:02")]
    public async Task Body(long call, long[] results, CancellationToken ct)
    {
        using var attempt = ledger.Begin(context, call);
        await db.Database.ExecuteSqlAsync($"insert into chord_result values ({context.RunId}, {call}, {results})", ct);
        attempt.Ok();
    }
}
