using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

public sealed class ExpiryTests : JobsTest
{
    private static readonly JobKind s_note = TestJobs.Kind("note", _ => Task.CompletedTask);

    [Fact]
    public async Task A_run_that_nobody_starts_in_time_ends_as_expired_and_what_waits_for_it_does_not_run()
    {
        await using var host = await JobHost.Create(Database, [s_note], o => o.Queues.Add("other"), clock: Clock).StartAsync();
        var first = s_note.Call().With(new() { ExpiresAfter = TimeSpan.FromMinutes(1) });
        var last = await host.Jobs.EnqueueAsync(s_note.Call().After(first));
        var run = await host.ScalarAsync<long>("select up from keelback.edge");

        Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(run))!.State);
        Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal((JobRunState.Expired, "Expired", 0), await host.EndOf(run) is { } r ? (r.State, r.Error!.Type, r.Attempt) : default);
        Assert.Equal(JobRunState.UpstreamFailed, (await host.EndOf(last)).State);
    }

    [Fact]
    public async Task A_claim_that_comes_too_late_does_not_start_the_run()
    {
        var ran = 0;
        var note = TestJobs.Kind("note", _ => Task.FromResult(Interlocked.Increment(ref ran)));
        await using var host = JobHost.Create(Database, [note]);
        var late = await host.Jobs.EnqueueAsync(note.Call(), new() { ExpiresAfter = TimeSpan.FromMinutes(1) });
        var never = await host.Jobs.EnqueueAsync(note.Call());
        Clock.Advance(TimeSpan.FromMinutes(2));
        await host.ScalarAsync<long>("with t as (delete from keelback.timer returning 1) select count(*) from t"); // so that only the claim looks

        await host.StartAsync();

        Assert.Equal(JobRunState.Expired, (await host.EndOf(late)).State);
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(never)).State);
        Assert.Equal(1, ran);
    }

    [Fact]
    public async Task What_has_started_does_not_expire_nor_do_its_retries()
    {
        var gate = new Gate();
        var tries = 0;
        var slow = TestJobs.Kind("slow", async call =>
        {
            await gate.PassAsync(call.Cancellation);
            if (Interlocked.Increment(ref tries) == 1) throw new InvalidOperationException("again");
        }, d => d.ExpiresAfter = "00:01:00");
        await using var host = await JobHost.Create(Database, [slow], o => o.Lease = TimeSpan.FromHours(1), clock: Clock).StartAsync();
        var run = await host.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();

        Clock.Advance(TimeSpan.FromMinutes(5));
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.timer") == 0, "the timer has fired");
        gate.Open();

        Assert.Equal((JobRunState.Succeeded, 2), await host.EndOf(run) is { } r ? (r.State, r.Attempt) : default);
    }

    [Fact]
    public async Task What_started_and_was_put_off_or_became_a_graph_does_not_expire()
    {
        var gate = new Gate();
        var tries = 0;
        var shy = TestJobs.Kind("shy", _ => Interlocked.Increment(ref tries) == 1 ? throw JobExit.Snooze(TimeSpan.FromMinutes(2)) : Task.CompletedTask);
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        var split = TestJobs.Kind("split", call => Task.FromResult(call.Services.GetRequiredService<JobContext>().Replace(slow.Call<int>())));
        await using var host = await JobHost.Create(Database, [shy, slow, split], o => o.Lease = TimeSpan.FromHours(1), clock: Clock).StartAsync();
        var options = new EnqueueOptions { ExpiresAfter = TimeSpan.FromMinutes(1) };
        var snoozed = await host.Jobs.EnqueueAsync(shy.Call(), options);
        var replaced = await host.Jobs.EnqueueAsync(split.Call<int>(), options);
        await gate.Started();
        await Eventually(async () => (await host.Jobs.GetAsync(snoozed))!.State == JobRunState.Scheduled, "it is put off");

        Clock.Advance(TimeSpan.FromMinutes(5));
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.timer") == 0, "the timers have fired");
        gate.Open();

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(snoozed)).State);
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(replaced)).State);
    }

    [Fact]
    public async Task What_a_worker_handed_back_does_not_expire()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        long run;
        await using (var first = await JobHost.Create(Database, [slow], o => o.ShutdownTimeout = TimeSpan.FromSeconds(1)).StartAsync())
        {
            run = await first.Jobs.EnqueueAsync(slow.Call(), new() { ExpiresAfter = TimeSpan.FromMinutes(1) });
            await gate.Started();
        }

        Clock.Advance(TimeSpan.FromMinutes(5));
        gate.Open();
        await using var second = await JobHost.Create(Database, [slow], clock: Clock).StartAsync();

        Assert.Equal((JobRunState.Succeeded, 1), await second.EndOf(run) is { } r ? (r.State, r.Attempt) : default);
    }

    [Fact]
    public async Task The_time_counts_from_when_the_run_is_due()
    {
        await using var host = await JobHost.Create(Database, [s_note], clock: Clock).StartAsync();

        var run = await host.Jobs.EnqueueAsync(s_note.Call(), new() { Delay = TimeSpan.FromHours(1), ExpiresAfter = TimeSpan.FromMinutes(1) });
        Clock.Advance(TimeSpan.FromMinutes(60.5));

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(run)).State);
    }

    [Fact]
    public async Task A_run_that_waits_for_another_expires_too()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        await using var host = await JobHost.Create(Database, [slow, s_note], clock: Clock).StartAsync();
        var run = await host.Jobs.EnqueueAsync(s_note.Call().After(slow.Call()), new() { ExpiresAfter = TimeSpan.FromMinutes(1) });
        await gate.Started();

        Clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(JobRunState.Expired, (await host.EndOf(run)).State);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.wait"));
        gate.Open();
    }

    [Fact]
    public async Task Expiries_that_cannot_be_are_refused_with_the_value()
    {
        await using var host = JobHost.Create(Database, [s_note]);
        var at = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        var errors = new List<string>();
        foreach (var options in new EnqueueOptions[]
        {
            new() { ExpiresAfter = TimeSpan.FromSeconds(-1) }, new() { ExpiresAfter = TimeSpan.Zero }, new() { At = at, ExpiresAt = at.AddHours(-1) },
            new() { ExpiresAfter = TimeSpan.FromDays(1), ExpiresAt = at }, new() { ExpiresAt = DateTimeOffset.MaxValue },
        })
            errors.Add((await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.EnqueueAsync(s_note.Call(), options))).Message);

        Assert.Equal(
        [
            "KB1208: 'note' cannot be enqueued so: its expiry (-00:00:01) must be more than zero, and not over 100 years.",
            "KB1208: 'note' cannot be enqueued so: its expiry (00:00:00) must be more than zero, and not over 100 years.",
            "KB1208: 'note' cannot be enqueued so: it expires (2029-12-31T23:00:00.0000000+00:00) before it is due (2030-01-01T00:00:00.0000000+00:00).",
            "KB1208: 'note' cannot be enqueued so: give it a time after which it expires or an instant, not both.",
            "KB1208: 'note' cannot be enqueued so: its expiry (9999-12-31T23:59:59.9999999+00:00) must be in the years 1970 to 9998.",
        ], errors);
    }
}
