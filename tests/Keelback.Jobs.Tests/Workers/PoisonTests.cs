using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>Jobs that do what no job should: the others go on, and each bad run ends by the rules.</summary>
public sealed class PoisonTests : JobsTest
{
    private sealed class Db(DbContextOptions<Db> options) : DbContext(options);

    [Fact]
    public async Task A_loop_that_ignores_its_token_loses_its_run_and_its_slot()
    {
        var stop = false;
        var deaf = TestJobs.Kind("deaf", _ =>
        {
            while (!Volatile.Read(ref stop)) Thread.Yield(); // no await: it keeps its thread
            return Task.CompletedTask;
        }, d => (d.Timeout, d.MaxAttempts) = ("00:00:00.1", 1));
        var good = TestJobs.Kind("good", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [deaf, good], o => (o.Concurrency, o.AbandonAfter) = (1, TimeSpan.FromMilliseconds(100))).StartAsync();
        var bad = await host.Jobs.EnqueueAsync(deaf.Call());
        var next = await host.Jobs.EnqueueAsync(good.Call());

        var (poison, after) = (await host.EndOf(bad), await host.EndOf(next));
        var abandoned = await AbandonedAsync(host, 1);
        Volatile.Write(ref stop, true);

        Assert.Equal((JobRunState.Failed, JobRunState.Succeeded, 1), (poison.State, after.State, abandoned));
        Assert.StartsWith("KB1215", poison.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(JobAttemptOutcome.TimedOut, Assert.Single(await host.Jobs.GetAttemptsAsync(bad)).Outcome);
        Assert.Equal(0, await AbandonedAsync(host, 0)); // it came to its end, and what it returned changed nothing
        Assert.Equal(JobRunState.Failed, (await host.Jobs.GetAsync(bad))!.State);
    }

    [Fact]
    public async Task What_returns_after_it_was_given_up_is_dropped_and_the_next_attempt_counts()
    {
        var tries = 0;
        var gate = new Gate();
        var late = TestJobs.Kind("late", async _ =>
        {
            var mine = Interlocked.Increment(ref tries);
            if (mine == 1) await gate.PassAsync(CancellationToken.None);
            return mine;
        }, d => d.Timeout = "00:00:00.1");
        await using var host = await JobHost.Create(Database, [late], o => o.AbandonAfter = TimeSpan.FromMilliseconds(100)).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(late.Call()));
        gate.Open();
        await AbandonedAsync(host, 0);

        Assert.Equal((JobRunState.Succeeded, 2, 2), (run.State, run.Attempt, run.Result<int>()));
        Assert.Equal(2, (await host.Jobs.GetAsync(run.Id))!.Result<int>());
    }

    [Fact]
    public async Task A_cancelled_job_that_goes_on_gives_its_slot_back()
    {
        var gate = new Gate();
        var deaf = TestJobs.Kind("deaf", _ => gate.PassAsync(CancellationToken.None));
        var good = TestJobs.Kind("good", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [deaf, good], o => (o.Concurrency, o.AbandonAfter) = (1, TimeSpan.FromMilliseconds(100))).StartAsync();
        var bad = await host.Jobs.EnqueueAsync(deaf.Call());
        await gate.Started();

        await host.Jobs.CancelAsync(bad);
        var next = await host.EndOf(await host.Jobs.EnqueueAsync(good.Call()));

        Assert.Equal(JobRunState.Succeeded, next.State);
        Assert.Equal(JobRunState.Cancelled, (await host.Jobs.GetAsync(bad))!.State);
        gate.Open();
    }

    [Fact]
    public async Task A_job_that_goes_on_without_its_workers_lease_gives_its_slot_back()
    {
        var tries = 0;
        var gate = new Gate();
        var deaf = TestJobs.Kind("deaf", _ => Interlocked.Increment(ref tries) == 1 ? gate.PassAsync(CancellationToken.None) : Task.CompletedTask);
        var good = TestJobs.Kind("good", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [deaf, good], o =>
            (o.Concurrency, o.AbandonAfter, o.Heartbeat) = (1, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100))).StartAsync();
        var bad = await host.Jobs.EnqueueAsync(deaf.Call());
        await gate.Started();

        await host.ScalarAsync<long>("with gone as (delete from keelback.worker returning 1) select count(*) from gone");
        var next = await host.EndOf(await host.Jobs.EnqueueAsync(good.Call()));
        var rescued = await host.EndOf(bad);

        Assert.Equal((JobRunState.Succeeded, JobRunState.Succeeded, 2), (next.State, rescued.State, tries));
        Assert.Equal(1, await AbandonedAsync(host, 1));
        gate.Open();
        Assert.Equal(0, await AbandonedAsync(host, 0));
    }

    [Fact]
    public async Task The_transaction_of_an_abandoned_attempt_lets_its_locks_go()
    {
        var tries = 0;
        var gate = new Gate();
        await using (var table = Database.DataSource.CreateCommand("create table account (id int primary key, balance int); insert into account values (1, 0)"))
            await table.ExecuteNonQueryAsync();
        var pay = TestJobs.Kind("pay", async call =>
        {
            await call.Services.GetRequiredService<Db>().Database.ExecuteSqlRawAsync("update account set balance = balance + 1");
            if (Interlocked.Increment(ref tries) == 1) await gate.PassAsync(CancellationToken.None);
        }, d => (d.Timeout, d.Transactional) = ("00:00:02", true));
        await using var host = await JobHost.Create(Database, [pay], o => o.AbandonAfter = TimeSpan.FromMilliseconds(100), data: k => k.AddData<Db>()).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(pay.Call()));

        Assert.Equal((JobRunState.Succeeded, 1), (run.State, await host.ScalarAsync<int>("select balance from account")));
        gate.Open();
    }

    [Fact]
    public async Task Poison_of_every_sort_does_not_hold_up_the_others()
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sorts = new[]
        {
            TestJobs.Kind("throws", _ => throw new InvalidOperationException("no"), Few),
            TestJobs.Kind("throws-odd", _ => throw new OddException(), Few),
            TestJobs.Kind("returns-late", _ => stop.Task, Few),
            TestJobs.Kind("unawaited", call => { _ = Task.Run(() => throw new InvalidOperationException("nobody sees it")); return Task.CompletedTask; }, Few),
            TestJobs.Kind("null-task", _ => null!, Few),
            TestJobs.Kind<object>("unserializable", _ => Task.FromResult<object>(new { Self = typeof(string) }), Few),
            TestJobs.Kind("cancels-itself", _ => throw new OperationCanceledException(), Few),
        };
        var good = TestJobs.Kind("good", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [.. sorts, good], o => (o.Concurrency, o.AbandonAfter) = (4, TimeSpan.Zero)).StartAsync();
        var bad = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 5).SelectMany(_ => sorts.Select(kind => kind.Call())));

        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 50).Select(_ => good.Call()));
        foreach (var run in runs) Assert.Equal(JobRunState.Succeeded, (await host.EndOf(run)).State);
        foreach (var run in bad)
        {
            var ended = await host.EndOf(run);
            Assert.Equal(ended.Kind == "unawaited" ? JobRunState.Succeeded : JobRunState.Failed, ended.State);
        }

        stop.SetResult();

        static void Few(JobAttribute d) => (d.MaxAttempts, d.Timeout) = (2, "00:00:00.1");
    }

    private static async Task<int> AbandonedAsync(JobHost host, int expected)
    {
        var workers = host.Services.GetRequiredService<JobWorkers>();
        await Eventually(async () => Assert.Single(await workers.ListAsync()).Abandoned == expected, $"{expected} abandoned");
        return expected;
    }

    /// <summary>Its message cannot be read.</summary>
    private sealed class OddException : Exception
    {
        public override string Message => throw new InvalidOperationException("there is none");
    }
}
