using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

/// <summary>A transaction that has a run locked, as after a cancellation that is not committed, is in nobody's way but the run's.</summary>
public sealed class HeldUpTests : JobsTest
{
    private static readonly JobKind s_job = TestJobs.Kind("job", _ => Task.CompletedTask);

    [Fact]
    public async Task A_run_that_is_to_expire_and_is_held_up_holds_up_no_other_timer()
    {
        await using var host = JobHost.Create(Database, [s_job], clock: Clock);
        var expiring = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 3).Select(_ => s_job.Call().With(new() { ExpiresAfter = TimeSpan.FromMinutes(1) })));
        var later = await host.Jobs.EnqueueAsync(s_job.Call().With(new() { Delay = TimeSpan.FromMinutes(1) }));
        Clock.Advance(TimeSpan.FromMinutes(2));
        var timers = host.Services.GetRequiredService<TimerLoop>();
        await using var connection = await host.Db.OpenConnectionAsync();

        await using (await HoldAsync(host, expiring[0]))
        {
            Assert.True(await timers.LookAsync(connection, default)); // all at once, in vain
            Assert.False(await IsReadyAsync());

            Assert.True(await timers.LookAsync(connection, default));
            Assert.True(await IsReadyAsync());
            Assert.Equal(["Ready", "Ready", "Ready"], await StatesAsync(host, expiring));

            await UntilAsync(async () => await timers.LookAsync(connection, default));
            Assert.Equal(["Ready", "Expired", "Expired"], await StatesAsync(host, expiring));
        }

        Assert.False(await timers.LookAsync(connection, default)); // it has its rest
        Assert.Equal("Ready", (await StatesAsync(host, expiring))[0]);
        Clock.Advance(TimeSpan.FromSeconds(1));
        await timers.LookAsync(connection, default);
        Assert.Equal("Expired", (await StatesAsync(host, expiring))[0]);

        Task<bool> IsReadyAsync() => host.ScalarAsync<bool>($"select exists (select from keelback.ready where run_id = {later})");
    }

    [Fact]
    public async Task A_run_that_is_held_up_is_tried_by_itself_and_not_with_what_comes_later()
    {
        await using var host = JobHost.Create(Database, [s_job], clock: Clock);
        var held = await host.Jobs.EnqueueAsync(s_job.Call().With(new() { ExpiresAfter = TimeSpan.FromMinutes(1) }));
        Clock.Advance(TimeSpan.FromMinutes(2));
        var timers = host.Services.GetRequiredService<TimerLoop>();
        await using var connection = await host.Db.OpenConnectionAsync();
        await using var hold = await HoldAsync(host, held);
        await UntilAsync(async () => await timers.LookAsync(connection, default));

        for (var second = 0; second < 3; second++)
        {
            var next = await host.Jobs.EnqueueAsync(s_job.Call().With(new() { ExpiresAfter = TimeSpan.FromSeconds(1) }));
            Clock.Advance(TimeSpan.FromSeconds(1.5));
            await timers.LookAsync(connection, default); // the held one
            await timers.LookAsync(connection, default); // all others
            Assert.Equal("Expired", Assert.Single(await StatesAsync(host, next)));
        }
    }

    [Fact]
    public async Task A_run_that_is_to_be_quarantined_and_is_held_up_holds_up_nothing_that_a_dead_worker_had()
    {
        await using var host = JobHost.Create(Database, [s_job], o => o.CrashLimit = 3, clock: Clock);
        var runs = await host.Jobs.EnqueueManyAsync([s_job.Call(), s_job.Call(), s_job.Call()]);
        await using var connection = await host.Db.OpenConnectionAsync();
        await ClaimAsync(host, connection, "job");
        await host.ScalarAsync<long>(
            $"with c as (update keelback.claim set crashes = 2 where run_id <> {runs[2]} returning 1), w as (delete from keelback.worker returning 1) select count(*) from c");

        await using (await HoldAsync(host, runs[0]))
        {
            Assert.Equal(1, (await host.Rescuer.SweepAsync(default)).Runs);
            Assert.Equal(["Running", "Running", "Ready"], await StatesAsync(host, runs));

            await UntilAsync(async () => await host.Rescuer.LookAsync(default) == TimeSpan.Zero);
            Assert.Equal(["Running", "Quarantined", "Ready"], await StatesAsync(host, runs));
        }

        Clock.Advance(TimeSpan.FromSeconds(1));
        await host.Rescuer.SweepAsync(default);
        Assert.Equal(["Quarantined", "Quarantined", "Ready"], await StatesAsync(host, runs));
    }

    internal static async Task<IAsyncDisposable> HoldAsync(JobHost host, long run)
    {
        var connection = await host.Db.OpenConnectionAsync();
        await using var hold = new NpgsqlCommand($"begin; set local idle_in_transaction_session_timeout = 30000; select from keelback.run where id = {run} for update", connection);
        await hold.ExecuteNonQueryAsync();
        return connection; // closed, it rolls back; so it does if the test waits for it
    }

    private static async Task UntilAsync(Func<Task<bool>> goesOn)
    {
        for (var steps = 0; await goesOn(); steps++) Assert.True(steps < 20, "There is no end to it.");
    }

    private static async Task<string[]> StatesAsync(JobHost host, params IReadOnlyList<long> runs)
    {
        var states = new List<string>();
        foreach (var run in runs) states.Add((await host.Jobs.GetAsync(run))!.State.ToString());
        return [.. states];
    }
}
