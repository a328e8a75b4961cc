using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Keelback.Jobs.Tests;

/// <summary>Workers seen and told what to do from another process.</summary>
public sealed class WorkerControlTests : JobsTest
{
    private readonly Gate _gate = new();

    private JobKind Slow => TestJobs.Kind("slow", call => _gate.PassAsync(call.Cancellation));

    private static JobWorkers Workers(JobHost host) => host.Services.GetRequiredService<JobWorkers>();

    [Fact]
    public async Task Another_process_sees_what_each_worker_runs()
    {
        await using var worker = await JobHost.Create(Database, [Slow], o =>
        {
            o.Concurrency = 3;
            o.Queues.Add("mail");
        }).StartAsync();
        await using var other = await JobHost.Create(Database, [], app: "other").StartAsync();
        await using var web = JobHost.Create(Database, []);
        var run = await web.Jobs.EnqueueAsync(Slow.Call(), new() { Queue = "mail" });
        await _gate.Started();
        await Eventually(async () => Assert.Single(await Workers(web).ListAsync()).Concurrency == 3, "it reports");

        var seen = Assert.Single(await Workers(web).ListAsync());

        Assert.Equal((worker.Worker.Identity!.Value.Id, 3, 3, false, false, 0), (seen.Id, seen.Concurrency, seen.Slots, seen.IsPaused, seen.IsStopping, seen.Abandoned));
        Assert.Equal(["mail"], seen.Queues);
        Assert.EndsWith($"/{Environment.ProcessId}", seen.Name, StringComparison.Ordinal);
        Assert.True(seen.Memory > 1_000_000);
        var running = Assert.Single(seen.Runs);
        Assert.Equal((run, "slow", 1), (running.RunId, running.Kind, running.Attempt));
        Assert.InRange(running.Since, seen.StartedAt, seen.LeaseUntil);
        _gate.Open();
    }

    [Fact]
    public async Task A_paused_worker_takes_nothing_until_it_is_resumed()
    {
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = await StartAsync(quick);
        await using var web = JobHost.Create(Database, []);

        Assert.True(await Workers(web).PauseAsync());
        await Eventually(async () => (await Workers(web).ListAsync())[0].IsPaused, "it is paused");
        var run = await web.Jobs.EnqueueAsync(quick.Call());
        await using (var late = await StartAsync(quick)) // pausing holds for workers that start later
            await Eventually(async () => (await Workers(web).ListAsync()).Count(w => w.IsPaused) == 2, "both are");
        var paused = (await web.Jobs.GetAsync(run))!.State;
        Assert.True(await Workers(web).ResumeAsync(host.Worker.Identity!.Value.Id));

        Assert.Equal((JobRunState.Ready, JobRunState.Succeeded), (paused, (await host.EndOf(run)).State));
    }

    [Theory, InlineData(null), InlineData(1)]
    public async Task A_worker_is_scaled_while_it_runs(int? least)
    {
        await using var host = await JobHost.Create(Database, [Slow], o => (o.MinConcurrency, o.Concurrency) = (least, 1)).StartAsync();
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 5).Select(_ => Slow.Call()));
        await _gate.Started();

        Assert.True(await Workers(host).ScaleAsync(3, host.Worker.Identity!.Value.Id));
        await _gate.Started();
        await _gate.Started();
        await Eventually(async () => (await Workers(host).ListAsync())[0] is { Concurrency: 3, Runs.Count: 3 }, "three run");
        await Workers(host).ScaleAsync(null);
        await Eventually(async () => (await Workers(host).ListAsync())[0].Concurrency == 1, "as configured");
        _gate.Open();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_worker_that_is_told_to_stop_leaves_the_list(bool atOnce)
    {
        await using var host = await JobHost.Create(Database, [Slow], o => o.StopHost = true).StartAsync();
        await using var web = JobHost.Create(Database, []);
        var stopping = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        var run = await web.Jobs.EnqueueAsync(Slow.Call());
        await _gate.Started();

        await Workers(web).StopAsync(host.Worker.Identity!.Value.Id, atOnce);
        if (!atOnce)
        {
            await Eventually(async () => (await Workers(web).ListAsync())[0].IsStopping, "it stops");
            Assert.Equal(JobRunState.Running, (await web.Jobs.GetAsync(run))!.State);
            _gate.Open();
        }

        await stopping.Task.WaitAsync(Patience);
        Assert.Empty(await Workers(web).ListAsync());
        Assert.Equal(atOnce ? (JobRunState.Ready, 0) : (JobRunState.Succeeded, 1), await web.Jobs.GetAsync(run) is { } r ? (r.State, r.Attempt) : default);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_worker_that_stops_at_once_or_recycles_does_not_wait_for_a_job_that_goes_on(bool recycles)
    {
        var (quick, deaf) = (TestJobs.Kind("quick", _ => Task.CompletedTask), TestJobs.Kind("deaf", _ => _gate.PassAsync(CancellationToken.None)));
        await using var host = JobHost.Create(Database, [quick, deaf], o =>
        {
            (o.StopHost, o.RecycleAfterJobs, o.RecycleExitCode) = (true, recycles ? 1 : null, 0);
            (o.ShutdownTimeout, o.AbandonAfter) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100));
        });
        await using var web = JobHost.Create(Database, []);
        var (stopping, abandoned) = (new TaskCompletionSource(), new TaskCompletionSource<long>());
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        using var heard = host.Services.GetRequiredService<JobEvents>().Subscribe<JobAbandoned>(e => abandoned.TrySetResult(e.RunId));
        await host.StartAsync();
        var run = await web.Jobs.EnqueueAsync(deaf.Call());
        await _gate.Started();

        if (recycles) await host.EndOf(await web.Jobs.EnqueueAsync(quick.Call()));
        else await Workers(web).StopAsync(host.Worker.Identity!.Value.Id, atOnce: true);
        await stopping.Task.WaitAsync(Patience);

        Assert.Equal(run, await abandoned.Task.WaitAsync(Patience));
        Assert.Empty(await Workers(web).ListAsync());
        Assert.Equal((JobRunState.Ready, 0, 1L), await web.Jobs.GetAsync(run) is { } r ? (r.State, r.Attempt, await web.ScalarAsync<long>("select count(*) from keelback.ready")) : default);
        _gate.Open();
    }

    [Fact]
    public async Task An_order_to_stop_is_not_for_workers_that_start_later()
    {
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using (var host = await StartAsync(quick))
        {
            await Workers(host).StopAsync();
            await Eventually(async () => (await Workers(host).ListAsync()).Count == 0, "it is gone");
        }

        await using var next = await StartAsync(quick);
        var run = await next.EndOf(await next.Jobs.EnqueueAsync(quick.Call()));

        Assert.Equal((JobRunState.Succeeded, false), (run.State, Assert.Single(await Workers(next).ListAsync()).IsStopping));
    }

    [Fact]
    public async Task A_worker_that_is_not_there_takes_no_order_and_an_old_order_leaves_no_ghost()
    {
        await using var host = await JobHost.Create(Database, [], o => o.Lease = TimeSpan.FromDays(1), clock: Clock).StartAsync();
        await host.ScalarAsync<long>("with i as (insert into keelback.worker_order values ('test', 4711, 0, 1, keelback.clock()) returning 1) select count(*) from i");

        Assert.False(await Workers(host).PauseAsync(4712));
        foreach (var order in new Func<int, Task<bool>>[] { id => Workers(host).StopAsync(id), id => Workers(host).PauseAsync(id), id => Workers(host).ScaleAsync(2, id) })
            foreach (var unset in new[] { 0, -1 })
                await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => order(unset));
        Clock.Advance(TimeSpan.FromHours(2));

        await Eventually(() => host.ScalarAsync<bool>("select not exists (select from keelback.worker_order)"), "the ghost's order is gone");
    }

    [Fact]
    public async Task Jobs_at_once_follow_the_load_between_the_least_and_the_most()
    {
        await using var host = await JobHost.Create(Database, [Slow], o => (o.MinConcurrency, o.Concurrency, o.Lease) = (1, 8, TimeSpan.FromDays(1)), clock: Clock).StartAsync();
        Assert.Equal(1, host.Worker.Slots.Now);

        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 20).Select(_ => Slow.Call()));
        for (var i = 0; i < 8; i++) await _gate.Started();
        Assert.Equal((8, 8), (host.Worker.Slots.Now, host.Worker.Running));
        _gate.Open();
        foreach (var run in runs) await host.EndOf(run);

        await Eventually(() =>
        {
            Clock.Advance(TimeSpan.FromSeconds(11));
            return Task.FromResult(host.Worker.Slots.Now == 1);
        }, "it shrinks again");
    }

    [Fact]
    public async Task A_worker_that_has_shrunk_to_the_jobs_that_do_not_end_takes_the_next_one()
    {
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [Slow, quick], o => (o.MinConcurrency, o.Concurrency, o.Lease) = (1, 8, TimeSpan.FromDays(1)), clock: Clock).StartAsync();
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 3).Select(_ => Slow.Call()));
        for (var i = 0; i < 3; i++) await _gate.Started();
        await Eventually(() =>
        {
            Clock.Advance(TimeSpan.FromSeconds(11));
            return Task.FromResult(host.Worker.Slots.Now == 3);
        }, "it shrinks to what runs");

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(quick.Call()));

        Assert.Equal((JobRunState.Succeeded, 3), (run.State, host.Worker.Running));
        _gate.Open();
    }

    [Fact]
    public async Task A_worker_recycles_above_so_much_memory_and_lets_what_runs_end()
    {
        await using var host = await JobHost.Create(Database, [Slow], o => (o.RecycleAboveMemory, o.RecycleExitCode) = (long.MaxValue, 0)).StartAsync();
        var stopping = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        var run = await host.Jobs.EnqueueAsync(Slow.Call());
        await _gate.Started();
        await Eventually(async () => (await Workers(host).ListAsync())[0].Memory > 0, "it has looked at its memory");
        Assert.False((await Workers(host).ListAsync())[0].IsStopping);

        host.Services.GetRequiredService<IOptions<JobsOptions>>().Value.RecycleAboveMemory = 1;
        await Eventually(async () => (await Workers(host).ListAsync())[0].IsStopping, "it takes no more");
        _gate.Open();

        await stopping.Task.WaitAsync(Patience);
        Assert.Equal((JobRunState.Succeeded, 1), await host.Jobs.GetAsync(run) is { } r ? (r.State, r.Attempt) : default);
    }

    [Fact]
    public async Task A_worker_recycles_after_so_many_jobs()
    {
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [quick], o => (o.RecycleAfterJobs, o.RecycleExitCode) = (3, 0)).StartAsync();
        var stopping = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);

        foreach (var _ in Enumerable.Range(0, 3)) await host.EndOf(await host.Jobs.EnqueueAsync(quick.Call()));

        await stopping.Task.WaitAsync(Patience);
        Assert.Equal(3, host.Worker.Ended);
    }
}
