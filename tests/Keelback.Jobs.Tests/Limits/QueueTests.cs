using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

public sealed class QueueTests : JobsTest
{
    [Fact]
    public async Task A_paused_queue_starts_nothing_and_what_runs_goes_on()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation), d => d.Queue = "mail");
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = await StartAsync(slow, quick);
        var running = await host.Jobs.EnqueueAsync(slow.Call());
        await gate.Started();

        await Queues(host).PauseAsync("mail");
        Assert.Contains(new JobQueueState("mail", true, null, null), await Queues(host).ListAsync());
        var waiting = await host.Jobs.EnqueueAsync(slow.Call());
        gate.Open();
        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(running)).State);
        for (var i = 0; i < 30; i++) await host.EndOf(await host.Jobs.EnqueueAsync(quick.Call())); // the worker looks many times
        Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(waiting))!.State);
        await Queues(host).ResumeAsync("mail");

        Assert.Equal(JobRunState.Succeeded, (await host.EndOf(waiting)).State);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_worker_that_has_not_heard_of_a_pause_takes_nothing_of_the_queue(bool shared)
    {
        var mail = TestJobs.Kind("mail", _ => Task.CompletedTask, d => d.Queue = "mail");
        var work = TestJobs.Kind("work", _ => Task.CompletedTask, d => d.Tenant = shared ? "{tenant}" : null);
        await using var host = JobHost.Create(Database, [mail, work]);
        await host.Jobs.EnqueueManyAsync([mail.Call(), work.Call(new { tenant = "a" })]);
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = Keelback.Postgres.WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var lanes = new Lanes(TimeProvider.System);
        lanes.Set(await host.Services.GetRequiredService<QueueCatalog>().AllAsync(default));

        await Queues(host).PauseAsync("mail");
        Assert.Equal(["work"], await TakeAsync());
        await Queues(host).ResumeAsync("mail");
        Assert.Equal(["mail"], await TakeAsync());

        async Task<IEnumerable<string>> TakeAsync()
        {
            var request = new ExchangeRequest { Outcomes = [], Claim = lanes.Request(10, full: true, worker, "test", ["mail", "work"]) };
            Assert.Equal(shared, request.Claim.IsShared);
            return (await Exchange.RunAsync(connection, request, prepare: false, default)).Claimed.Claims.Select(claim => claim.Kind);
        }
    }

    [Fact]
    public async Task A_queues_slots_hold_over_all_workers_and_leave_what_waits_where_it_is()
    {
        var ledger = await Ledger.CreateAsync(Database.DataSource);
        var work = TestJobs.Kind("work", _ => ledger.RunAsync("work", TimeSpan.FromMilliseconds(5)));
        JobHost[] hosts = [.. Enumerable.Range(0, 3).Select(_ => JobHost.Create(Database, [work]))];
        await hosts[0].Jobs.EnqueueAsync(work.Call(), new() { At = DateTimeOffset.UtcNow.AddYears(1) }); // so that the queue is there
        await Queues(hosts[0]).SetSlotsAsync("default", 2);
        var runs = await hosts[0].Jobs.EnqueueManyAsync(Enumerable.Range(0, 60).Select(_ => work.Call()));

        foreach (var host in hosts) await host.StartAsync();
        foreach (var run in runs) await hosts[0].EndOf(run);

        Assert.Equal((60, 2), (await ledger.CountAsync("work"), await ledger.MostAtOnceAsync("work")));
        foreach (var host in hosts) await host.DisposeAsync();
    }

    [Fact]
    public async Task Slots_are_raised_and_taken_away_while_the_workers_run()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        await using var host = JobHost.Create(Database, [slow]);
        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 5).Select(_ => slow.Call()));
        await Queues(host).SetSlotsAsync("default", 1);
        await host.StartAsync();
        await gate.Started();
        Assert.Equal([new JobQueueState("default", false, 1, 1)], await Queues(host).ListAsync());

        await Queues(host).SetSlotsAsync("default", 2);
        await gate.Started();
        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from keelback.claim"));
        await Queues(host).SetSlotsAsync("default", null);
        for (var i = 0; i < 3; i++) await gate.Started();

        gate.Open();
        foreach (var run in runs) await host.EndOf(run);
    }

    [Fact]
    public async Task Slots_that_a_queue_is_given_count_what_runs_already()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation), d => d.Queue = "etl");
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var full = await JobHost.Create(Database, [slow], o => o.Concurrency = 4).StartAsync();
        var runs = (await full.Jobs.EnqueueManyAsync(Enumerable.Range(0, 4).Select(_ => slow.Call()))).ToList();
        for (var i = 0; i < 4; i++) await gate.Started();

        await Queues(full).SetSlotsAsync("etl", 2);
        await using var other = await StartAsync(slow, quick);
        runs.AddRange(await other.Jobs.EnqueueManyAsync(Enumerable.Range(0, 3).Select(_ => slow.Call())));
        for (var i = 0; i < 30; i++) await other.EndOf(await other.Jobs.EnqueueAsync(quick.Call())); // it looks many times

        Assert.Contains(new JobQueueState("etl", false, 2, 4), await Queues(full).ListAsync());
        Assert.Equal(4, await other.ScalarAsync<long>("select count(*) from keelback.claim"));
        gate.Open();
        foreach (var run in runs) await other.EndOf(run);
    }

    [Fact]
    public async Task What_a_worker_takes_before_it_hears_of_a_queues_slots_counts_once_another_has_heard()
    {
        var slow = TestJobs.Kind("slow", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [slow]);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 3).Select(_ => slow.Call()));
        await using var connection = await host.Db.OpenConnectionAsync();
        await Queues(host).SetSlotsAsync("default", 1);
        Assert.Equal(3, (await ClaimAsync(host, connection, "slow")).Count);

        await host.StartAsync();

        await Eventually(async () => Assert.Single(await Queues(host).ListAsync()).SlotsInUse == 3, "they count");
    }

    [Fact]
    public async Task Tenants_take_turns_however_much_one_of_them_has_waiting()
    {
        var order = new List<string>();
        var work = TestJobs.Kind("work", call =>
        {
            lock (order) order.Add(call.Get<string>("tenant"));
            return Task.CompletedTask;
        }, d => d.Tenant = "{tenant}");
        await using var host = JobHost.Create(Database, [work], o => o.Concurrency = 4);
        var runs = await host.Jobs.EnqueueManyAsync(
            Enumerable.Range(0, 1000).Select(_ => work.Call(new { tenant = "a" })).Concat(Enumerable.Range(0, 10).Select(_ => work.Call(new { tenant = "b" }))));

        await host.StartAsync();
        foreach (var run in runs) await host.EndOf(run);

        Assert.Equal(1010, order.Count);
        Assert.InRange(order.LastIndexOf("b"), 0, 25);
    }

    [Fact]
    public async Task Runs_without_a_tenant_take_turns_as_one_tenant_would()
    {
        var work = TestJobs.Kind("work", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [work]);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 40).Select(i => work.Call().With(new() { Tenant = i < 8 ? null : "abcd"[i % 4].ToString() })));
        await using var connection = await host.Db.OpenConnectionAsync();
        var worker = Keelback.Postgres.WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        var lanes = new Lanes(TimeProvider.System);
        lanes.Set(await host.Services.GetRequiredService<QueueCatalog>().AllAsync(default));

        var turns = new List<string>();
        foreach (var limit in (int[])[10, 3, 3])
        {
            var request = new ExchangeRequest { Outcomes = [], Claim = lanes.Request(limit, full: true, worker, "test", ["work"]) };
            var seen = (await Exchange.RunAsync(connection, request, prepare: false, default)).Claimed.Seen;
            lanes.Saw(seen);
            turns.Add(string.Concat(seen.Select(row => row.Tenant ?? "-").Order(StringComparer.Ordinal)));
        }

        Assert.Equal(["--aabbccdd", "abc", "-ad"], turns);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("ada")]
    public async Task A_lanes_age_raises_its_priority_when_the_options_say_so(string? tenant)
    {
        var order = new List<int>();
        var work = TestJobs.Kind("work", call =>
        {
            lock (order) order.Add(call.Get<int>("n"));
            return Task.CompletedTask;
        });
        await using var host = JobHost.Create(Database, [work], o => (o.Concurrency, o.PriorityAging) = (1, TimeSpan.FromMinutes(10)), clock: Clock);
        var old = await host.Jobs.EnqueueAsync(work.Call(new { n = 9 }), new() { Priority = 9 });
        Clock.Advance(TimeSpan.FromMinutes(61)); // six levels: it counts as 3
        var young = await host.Jobs.EnqueueAsync(work.Call(new { n = 4 }), new() { Priority = 4, Tenant = tenant });
        var urgent = await host.Jobs.EnqueueAsync(work.Call(new { n = 2 }), new() { Priority = 2 });

        await host.StartAsync();
        foreach (var run in (long[])[old, young, urgent]) await host.EndOf(run);

        Assert.Equal([2, 9, 4], order);
    }

    [Theory, InlineData("retried by hand"), InlineData("tried again after a wait"), InlineData("a body whose member has ended")]
    public async Task What_could_not_start_until_now_has_not_waited(string what)
    {
        var member = TestJobs.Kind("member", _ => Task.FromResult(1));
        var body = TestJobs.Kind("body", call => Task.FromResult(call.Get<int>("n")));
        await using var host = JobHost.Create(Database, [member, body], clock: Clock);
        var first = member.Call<int>();
        var run = (await host.Jobs.EnqueueManyAsync(what[0] == 'a' ? [first, body.Call<int>(null, new JobBinding("n", first))] : [first]))[0];
        await using var connection = await host.Db.OpenConnectionAsync();
        var claim = Assert.Single(await ClaimAsync(host, connection, "member"));
        var wait = TimeSpan.FromDays(3);
        switch (what[0])
        {
            case 'a':
                Clock.Advance(wait);
                await EndAsync(new Outcome.Succeeded(claim, "1"u8.ToArray()));
                break;
            case 'r':
                await EndAsync(new Outcome.Failed(claim, new("T", "no"), JobAttemptOutcome.Failed, RetryAfter: null));
                Clock.Advance(wait);
                Assert.True(await host.Jobs.RetryAsync(run));
                break;
            default:
                await EndAsync(new Outcome.Failed(claim, new("T", "no"), JobAttemptOutcome.Failed, RetryAfter: wait));
                Clock.Advance(wait);
                Assert.Equal(1, (await TimerStatement.RunAsync(connection, "test", new(TimerChoice.Both, RunChoice.All), default)).Count);
                break;
        }

        Clock.Advance(TimeSpan.FromMinutes(20));
        var levels = await AgeStatement.LevelsAsync(host.Db, [claim.Queue], TimeSpan.FromMinutes(10), default);

        Assert.InRange(levels[(claim.Queue, 4)], 2, 3);

        Task EndAsync(Outcome outcome) => Exchange.RunAsync(connection, new() { Outcomes = [outcome] }, prepare: false, default);
    }

    [Fact]
    public async Task A_queue_that_is_not_there_or_no_slots_at_all_is_a_clear_error()
    {
        await using var host = JobHost.Create(Database, [TestJobs.Kind("work", _ => Task.CompletedTask)]);
        await host.Jobs.EnqueueAsync(TestJobs.Kind("work", _ => Task.CompletedTask).Call());

        var unknown = await Assert.ThrowsAsync<KeelbackException>(() => Queues(host).PauseAsync("defualt"));
        var none = await Assert.ThrowsAsync<KeelbackException>(() => Queues(host).SetSlotsAsync("default", 0));

        Assert.Equal("KB1228: There is no queue 'defualt' in this app. Did you mean 'default'? " +
            "A queue exists from the first call that goes to it, or the first worker that is told of it.", unknown.Message);
        Assert.Equal("KB1229: The queue 'default' cannot have 0 slots: give it 1 or more, or pause it. No limit is null, 'none' on the command line.", none.Message);
    }

    private static JobQueues Queues(JobHost host) => (JobQueues)host.Services.GetService(typeof(JobQueues))!;
}
