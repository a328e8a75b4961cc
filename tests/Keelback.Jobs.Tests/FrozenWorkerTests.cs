using System.Diagnostics;
using Xunit.Abstractions;

namespace Keelback.Jobs.Tests;

/// <summary>A process that is stopped by the system in the middle of its jobs, and wakes up when others have done them.</summary>
public sealed class FrozenWorkerTests(ITestOutputHelper output) : JobsTest
{
    // KEELBACK_KILLS=full: a minute of frost, with the lease that apps have.
    private static readonly bool s_full = Environment.GetEnvironmentVariable("KEELBACK_KILLS") == "full";
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(s_full ? 15 : 3);
    private static readonly TimeSpan s_frost = TimeSpan.FromSeconds(s_full ? 60 : 0);

    [Fact]
    public async Task A_frozen_workers_transaction_is_ended_and_what_it_writes_when_it_wakes_up_changes_nothing_and_is_counted()
    {
        await Payments.CreateAsync(Database);
        await using var second = Payments.Host(Database.ConnectionString, s_lease, _ => Task.CompletedTask);
        await using var frozen = new WorkerProcess(Database.ConnectionString, s_lease.ToString());
        var (pay, tell) = (await EnqueueAsync(second, "pay"), await EnqueueAsync(second, "tell"));
        await frozen.SaysAsync("half-way in pay", "half-way in tell");
        var session = await second.ScalarAsync<int>("select pid from pg_stat_activity where datname = current_database() and application_name like 'keelback:%'");

        var frost = Stopwatch.StartNew();
        await frozen.StopAsync();
        await second.StartAsync();
        var paid = await second.EndOf(pay);
        var told = await second.EndOf(tell);
        var (recovered, sessions) = (frost.Elapsed, await second.ScalarAsync<long>($"select count(*) from pg_stat_activity where pid = {session}"));

        if (s_frost > frost.Elapsed) await Task.Delay(s_frost - frost.Elapsed);
        await frozen.ContinueAsync();
        await frozen.GoOnAsync();
        await frozen.SaysAsync("fenced writes: 2");
        output.WriteLine($"frozen {frost.Elapsed.TotalSeconds:0.0} s; after {recovered.TotalSeconds:0.0} s attempt 2 of both had ended, {sessions} sessions of the frozen one were left");

        Assert.Equal((0L, 2), (sessions, await second.ScalarAsync<int>("select balance from account")));
        foreach (var run in new[] { paid, told })
        {
            var after = (await second.Jobs.GetAsync(run.Id))!;
            Assert.Equal((JobRunState.Succeeded, 2, run.FinishedAt), (after.State, after.Attempt, after.FinishedAt));
            Assert.Equal(JobAttemptOutcome.Crashed, Assert.Single(await second.Jobs.GetAttemptsAsync(run.Id)).Outcome);
        }

        Assert.Equal(Environment.ProcessId, (await second.Jobs.GetAsync(tell))!.Result<int>());
        Assert.True(!s_full || recovered < TimeSpan.FromSeconds(20), $"It took {recovered}.");
    }

    private static Task<long> EnqueueAsync(JobHost host, string kind) =>
        host.Jobs.EnqueueAsync(TestJobs.Kind(kind, _ => Task.CompletedTask, defaults => defaults.Transactional = kind == "pay").Call());
}
