using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Keelback.Guides.Limits;

internal static class App
{
    public static Task RunAsync(string[] args, Action<WebApplication> built)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddGuide<Imports>();
        new KeelbackBuilder(builder).AddJobs(jobs =>
        {
            jobs.Limits["tenant"] = new(Slots: 3);                  // also as Keelback:Jobs:Limits:tenant:Slots
            jobs.PriorityAging = TimeSpan.FromMinutes(10);          // one level more urgent for each ten minutes of waiting
        });

        var app = builder.Build();
        app.MapPost("/imports/{tenant}", (int tenant, JobClient jobs) =>
            jobs.EnqueueAsync(Imports.Import(tenant, "orders.csv"), new() { Limits = [$"tenant:{tenant}"], ExpiresAfter = TimeSpan.FromHours(1) }));
        built(app);
        app.Run();
        return Task.CompletedTask;
    }
}

public sealed partial class Imports
{
    [Job(Tenant = "{tenantId}")]
    public Task Import(int tenantId, string file, CancellationToken ct) => Task.CompletedTask;
}

public sealed partial class Billing
{
    [Job]
    [Limit("stripe", Slots = 5, PerSecond = 10, PerDay = 100_000)]   // all at once
    [Limit("customer:{customerId}", Slots = 1)]                      // one after the other for each customer
    public Task Charge(int customerId, decimal amount, CancellationToken ct) => Task.CompletedTask;

    [Job, Limit("stripe")]                                           // the same limit; its numbers are written once
    public Task Refund(int customerId, decimal amount, CancellationToken ct) => Task.CompletedTask;

    [Job(ExpiresAfter = "00:10:00")]
    [Unique("{customerId}", OnConflict = UniqueConflict.Replace, Until = UniqueUntil.Started)]
    public Task Remind(int customerId, CancellationToken ct) => Task.CompletedTask;
}

public sealed class Throttle(JobLimits limits)
{
    public async Task HalveAsync(CancellationToken ct)
    {
        var numbers = (await limits.GetAsync("stripe", ct))!.Numbers;
        await limits.SetAsync("stripe", numbers with { Slots = 2, PerSecond = 5 }, ct);   // what is set replaces all: PerDay stays by `with`
        foreach (var key in await limits.UsageAsync("stripe", ct))
            Console.WriteLine($"{key.Key}: {key.InUse} run, {key.Waiting} wait, opens {key.OpensAt?.ToString() ?? "when a slot is free"}");
        await limits.ResetAsync("stripe", ct);                       // as the code has it
    }
}

public sealed class Maintenance(JobQueues queues)
{
    public async Task RunAsync(CancellationToken ct)
    {
        await queues.PauseAsync("mail", ct);                         // what runs goes on, what comes waits
        await queues.SetSlotsAsync("etl", 2, ct);                    // at once, over all workers; null: no limit of its own
        await queues.ResumeAsync("mail", ct);
    }
}
