using System.Text.Json.Nodes;
using Keelback.Jobs;
using Microsoft.Extensions.Logging;

namespace Keelback.Guides.Jobs;

public sealed record Progress(int Done, int Of);

public sealed class Bank
{
    public int Calls { get; set; }

    public int Refusals { get; set; } = 2;
}

public sealed partial class Payments(Bank bank, JobContext context, ILogger<Payments> log)
{
    [Job(Queue = "payments", MaxAttempts = 4, Timeout = "00:00:30", RetryDelay = "00:00:00.001")]
    [Retry<HttpRequestException>(MaxAttempts = 10, Delay = "00:00:00.001", MaxDelay = "00:01:00")]
    [NoRetry<ArgumentException>]
    [Expected<TimeoutException>]
    public Task<string> Charge(long invoiceId, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(invoiceId);
        if (bank.Calls++ < bank.Refusals) throw new HttpRequestException("502 from the bank");
        return Task.FromResult($"invoice {invoiceId}, attempt {context.Attempt}");
    }

    [Job]
    public Task<string> Settle(string state, CancellationToken ct) => state switch
    {
        "pending" when context.Attempt == 1 => throw JobExit.Retry(TimeSpan.FromMilliseconds(1), "The bank is not done."),
        "paid" => throw JobExit.Ignore("It is paid already."),
        "unknown" => throw JobExit.Reject("No such invoice."),
        _ => Task.FromResult("settled"),
    };

    [Job(ResultKept = "1.00:00:00")]
    public async Task<int> Import(int rows, CancellationToken ct)
    {
        for (var row = 1; row <= rows; row++)
        {
            await context.ReportAsync(new Progress(row, rows), ct);
            ImportedRow(log, row);
        }

        return rows;
    }

    [Job(Version = 2), Upgrade<CentsToMoney>(1)]
    public Task<string> Refund(Money amount, CancellationToken ct) => Task.FromResult($"{amount.Cents} {amount.Currency}");

    [Job]
    public Task<string> Login(string user, [Secret] string password, CancellationToken ct) => Task.FromResult($"{user}:{password.Length}");

    [Job]
    public Task<Card> Renew(Card card, CancellationToken ct) => Task.FromResult(card with { Number = $"{card.Number[..^1]}0" });

    [LoggerMessage(1, LogLevel.Information, "row {Row}")]
    private static partial void ImportedRow(ILogger log, int row);
}

public sealed record Card(string Holder, [Secret] string Number);

public sealed record Money(int Cents, string Currency);

public abstract class CentsToMoney : IPayloadUpgrade
{
    public static JsonObject Upgrade(JsonObject payload) =>
        new() { ["amount"] = new JsonObject { ["cents"] = payload["cents"]!.DeepClone(), ["currency"] = "EUR" } };
}

public sealed class Timing(List<string> lines) : IJobFilter
{
    public async ValueTask InvokeAsync(JobInvocation job, JobFilterNext next)
    {
        var started = TimeProvider.System.GetTimestamp();
        await next(job);
        lock (lines) lines.Add($"{job.Context.Kind} took {TimeProvider.System.GetElapsedTime(started)}");
    }
}

public sealed class Receipts(List<string> lines) : IJobFilter
{
    public async ValueTask InvokeAsync(JobInvocation job, JobFilterNext next)
    {
        await next(job);
        lock (lines) lines.Add($"receipt for run {job.Context.RunId}");
    }
}

public sealed class ReportsApart : IEnqueueFilter
{
    public void OnEnqueue(JobEnqueue job)
    {
        if (job.Kind.StartsWith("Reports.", StringComparison.Ordinal)) job.Options = job.Options with { Queue = "reports" };
    }
}
