using Keelback.Guides.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Keelback.Jobs.Tests;

/// <summary>The guide's examples, run; and the guide, held to them.</summary>
public sealed class JobsGuideTests : JobsTest
{
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Fact]
    public async Task The_guides_examples_do_what_it_says()
    {
        var lines = new List<string>();
        await using var host = JobHost.Create(Database, JobKinds.In(typeof(Guides.Jobs.Payments).Assembly).Where(kind => kind.DeclaredBy == typeof(Guides.Jobs.Payments)),
            o => o.SecretKeys.Add(Key),
            services: s => s.AddSingleton<Bank>().AddSingleton(lines).AddLogging(l => l.SetMinimumLevel(LogLevel.Information)),
            data: keelback =>
            {
                keelback.AddJobFilter<Timing>();
                keelback.AddJobFilter<Receipts>("Payments.Charge");   // around one kind only
                keelback.AddEnqueueFilter<ReportsApart>();
            });
        var (jobs, ct) = (host.Jobs, CancellationToken.None);
        var failed = new TaskCompletionSource<JobFailed>();
        var events = host.Services.GetRequiredService<JobEvents>();
        using var subscription = events.Subscribe<JobFailed>(e => failed.TrySetResult(e));
        await host.StartAsync();

        var charge = await jobs.EnqueueAsync(Guides.Jobs.Payments.Charge(7), new() { Priority = 1, Delay = TimeSpan.FromMilliseconds(10), Id = Guid.CreateVersion7() });
        Assert.Equal("invoice 7, attempt 3", await jobs.ResultAsync<string>(charge));
        Assert.Equal(1, (await host.EndOf(await jobs.EnqueueAsync(Guides.Jobs.Payments.Charge(-1)))).Attempt);

        Assert.Equal("settled", await jobs.ResultAsync<string>(await jobs.EnqueueAsync(Guides.Jobs.Payments.Settle("pending"))));
        Assert.Equal(JobRunState.Skipped, (await host.EndOf(await jobs.EnqueueAsync(Guides.Jobs.Payments.Settle("paid")))).State);
        Assert.Equal(JobRunState.Failed, (await host.EndOf(await jobs.EnqueueAsync(Guides.Jobs.Payments.Settle("unknown")))).State);
        Assert.NotNull(await failed.Task.WaitAsync(Patience));

        var run = await jobs.EnqueueAsync(Guides.Jobs.Payments.Import(3));
        Progress? seen = null;
        await foreach (var news in jobs.WatchAsync(run, ct))
            if (news.ProgressAs<Progress>() is { } progress) seen = progress;
        var rows = await jobs.ResultAsync<int>(run, ct);
        Assert.Equal((new Progress(3, 3), 3), (seen, rows));
        await Eventually(async () => (await jobs.GetLogAsync(run)).Count == 3, "its lines");

        Assert.Equal("250 EUR", await jobs.ResultAsync<string>(await jobs.EnqueueAsync(Guides.Jobs.Payments.Refund(new Money(250, "EUR")))));
        Assert.Equal("ada:7", await jobs.ResultAsync<string>(await jobs.EnqueueAsync(Guides.Jobs.Payments.Login("ada", "hunter2"))));
        Assert.Equal("4110", (await jobs.ResultAsync<Card>(await jobs.EnqueueAsync(Guides.Jobs.Payments.Renew(new Card("Ada", "4111")))))!.Number);
        Assert.Contains(lines, line => line.StartsWith("Payments.Import took ", StringComparison.Ordinal));
        Assert.Contains($"receipt for run {charge}", lines);

        var workers = host.Services.GetRequiredService<JobWorkers>();
        foreach (var worker in await workers.ListAsync()) Assert.Equal(10, worker.Concurrency);
        await workers.PauseAsync();                    // all; or one, by its id
        await workers.ScaleAsync(20);
        await workers.ResumeAsync();

        var revocations = host.Services.GetRequiredService<JobRevocations>();
        await revocations.RevokeKindAsync("Payments.Login", lasting: TimeSpan.FromHours(1), reason: "The bank is down.");
        await Eventually(async () => (await host.EndOf(await jobs.EnqueueAsync(Guides.Jobs.Payments.Login("ada", "x")))).State == JobRunState.Cancelled, "revoked");
        await revocations.AllowKindAsync("Payments.Login");
    }

    [Fact]
    public void Every_example_of_the_guide_is_one_that_is_run() => GuideText.IsRun("jobs", atLeast: 8, "Keelback.Jobs.Tests/Guide/JobsGuide.cs", "Keelback.Jobs.Tests/Guide/JobsGuideTests.cs");
}
