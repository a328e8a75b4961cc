namespace Keelback.Jobs.Tests;

public sealed class SlotTests : JobsTest
{
    [Fact]
    public async Task Three_workers_never_run_more_of_a_key_than_it_has_slots()
    {
        var ledger = await Ledger.CreateAsync(Database.DataSource);
        var pay = Limited("pay", call => ledger.RunAsync(call.Get<string>("shop"), TimeSpan.FromMilliseconds(5)), new LimitAttribute("shop:{shop}") { Slots = 2 });
        JobHost[] hosts = [.. Enumerable.Range(0, 3).Select(_ => JobHost.Create(Database, [pay]))];
        foreach (var host in hosts) await host.StartAsync();

        var runs = await hosts[0].Jobs.EnqueueManyAsync(Enumerable.Range(0, 60).Select(i => pay.Call(new { shop = i % 3 == 0 ? "a" : "b" })));
        foreach (var run in runs) Assert.Equal(JobRunState.Succeeded, (await hosts[0].EndOf(run)).State);

        Assert.Equal((20, 2), (await ledger.CountAsync("a"), await ledger.MostAtOnceAsync("a")));
        Assert.Equal((40, 2), (await ledger.CountAsync("b"), await ledger.MostAtOnceAsync("b")));
        foreach (var host in hosts) await host.DisposeAsync();
    }

    [Fact]
    public async Task What_is_over_its_limit_says_so_and_lets_other_work_pass()
    {
        var gate = new Gate();
        var slow = Limited("slow", call => gate.PassAsync(call.Cancellation), new LimitAttribute("one") { Slots = 1 });
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = await JobHost.Create(Database, [slow, quick], o => o.Concurrency = 3).StartAsync();
        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 200).Select(_ => slow.Call()));
        await gate.Started();

        var other = await host.EndOf(await host.Jobs.EnqueueAsync(quick.Call()));
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.parked") == 199, "the others are parked");

        Assert.Equal(JobRunState.Succeeded, other.State);
        Assert.Equal(JobRunState.Limited, (await host.Jobs.GetAsync(runs[150]))!.State);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.ready"));
        Assert.Equal([new JobLimitUsage("one", 1, 199, null)], await Limits(host).UsageAsync("one"));
        gate.Open();
        foreach (var run in runs) await host.EndOf(run);
    }

    [Fact]
    public async Task The_slot_of_a_worker_that_died_comes_back()
    {
        var gate = new Gate();
        var tries = 0;
        var slow = Limited("slow", async call =>
        {
            if (Interlocked.Increment(ref tries) == 1) await gate.PassAsync(CancellationToken.None);
        }, new LimitAttribute("one") { Slots = 1 });
        await using var dying = await JobHost.Create(Database, [slow]).StartAsync();
        var runs = await dying.Jobs.EnqueueManyAsync([slow.Call(), slow.Call()]);
        await gate.Started();
        await using var living = await JobHost.Create(Database, [slow]).StartAsync();
        await Eventually(async () => await living.ScalarAsync<long>("select count(*) from keelback.parked") == 1, "the second waits");

        dying.Worker.Heartbeat.Paused = true;
        await living.ScalarAsync<long>($"with w as (delete from keelback.worker where id = {dying.Worker.Identity!.Value.Id} returning 1) select count(*) from w");

        foreach (var run in runs) Assert.Equal(JobRunState.Succeeded, (await living.EndOf(run)).State);
        gate.Open();
    }

    [Fact]
    public async Task A_run_needs_a_slot_of_every_key_it_has()
    {
        var ledger = await Ledger.CreateAsync(Database.DataSource);
        var pay = Limited("pay", async call =>
            await Task.WhenAll(ledger.RunAsync("all", TimeSpan.FromMilliseconds(5)), ledger.RunAsync(call.Get<string>("shop"), TimeSpan.FromMilliseconds(5))),
            new LimitAttribute("shop:{shop}") { Slots = 1 }, new LimitAttribute("all") { Slots = 2 });
        await using var host = await StartAsync(pay);

        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 30).Select(i => pay.Call(new { shop = $"s{i % 3}" })));
        foreach (var run in runs) await host.EndOf(run);

        Assert.Equal((30, 2), (await ledger.CountAsync("all"), await ledger.MostAtOnceAsync("all")));
        foreach (var shop in (string[])["s0", "s1", "s2"]) Assert.Equal((10, 1), (await ledger.CountAsync(shop), await ledger.MostAtOnceAsync(shop)));
    }

    [Fact]
    public async Task Runs_of_one_key_start_in_the_order_in_which_they_came()
    {
        var order = new List<int>();
        var gate = new Gate();
        var pay = Limited("pay", async call =>
        {
            lock (order) order.Add(call.Get<int>("n"));
            await gate.PassAsync(call.Cancellation);
        }, new LimitAttribute("one") { Slots = 1 });
        await using var host = await StartAsync(pay);

        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 40).Select(n => pay.Call(new { n })));
        await gate.Started();
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.parked") == 39, "the others are parked");
        gate.Open();
        foreach (var run in runs) await host.EndOf(run);

        Assert.Equal(Enumerable.Range(0, 40), order);
    }

    [Fact]
    public async Task A_run_that_was_cancelled_while_it_waited_is_not_brought_back()
    {
        var gate = new Gate();
        var slow = Limited("slow", call => gate.PassAsync(call.Cancellation), new LimitAttribute("one") { Slots = 1 });
        await using var host = await StartAsync(slow);
        var runs = await host.Jobs.EnqueueManyAsync([slow.Call(), slow.Call(), slow.Call()]);
        await gate.Started();
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.parked") == 2, "two wait");

        Assert.True(await host.Jobs.CancelAsync(runs[1]));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.parked"));
        gate.Open();

        Assert.Equal(JobRunState.Cancelled, (await host.EndOf(runs[1])).State);
        Assert.Equal((JobRunState.Succeeded, 1), await host.EndOf(runs[2]) is { } r ? (r.State, r.Attempt) : default);
    }

    [Fact]
    public async Task What_is_set_at_run_time_wins_over_the_code_until_it_is_reset()
    {
        var gate = new Gate();
        var slow = Limited("slow", call => gate.PassAsync(call.Cancellation), new LimitAttribute("one") { Slots = 1 });
        await using var host = await StartAsync(slow);
        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 6).Select(_ => slow.Call()));
        await gate.Started();

        await Limits(host).SetAsync("one", new(Slots: 3));
        for (var i = 0; i < 2; i++) await gate.Started();
        Assert.Equal((3, 1), await Limits(host).GetAsync("one") is { } set ? (set.Numbers.Slots, set.InCode!.Slots) : default);
        await using (var other = await StartAsync(slow)) // starting again does not undo it
            Assert.Equal(3, (await Limits(other).GetAsync("one"))!.Numbers.Slots);
        Assert.True(await Limits(host).ResetAsync("one"));

        Assert.Equal(new("one", new(Slots: 1), null, new(Slots: 1)), await Limits(host).GetAsync("one"));
        gate.Open();
        foreach (var run in runs) await host.EndOf(run);
    }

    [Fact]
    public async Task A_limit_that_the_code_has_no_more_is_taken_off_by_a_reset()
    {
        var slow = Limited("slow", _ => Task.CompletedTask, new LimitAttribute("one") { Slots = 1 });
        await using (var before = JobHost.Create(Database, [slow])) await before.Jobs.EnqueueAsync(slow.Call());
        await using var host = JobHost.Create(Database, [TestJobs.Kind("slow", _ => Task.CompletedTask)]);

        Assert.NotNull(await Limits(host).GetAsync("one"));
        Assert.True(await Limits(host).ResetAsync("one"));

        Assert.Null(await Limits(host).GetAsync("one"));
        Assert.False(await Limits(host).ResetAsync("one"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Slots_that_a_limit_is_given_count_what_runs_already(bool isByCode)
    {
        var gate = new Gate();
        JobKind Slow(LimitAttribute limit) => Limited("slow", call => gate.PassAsync(call.Cancellation), limit);
        var slow = Slow(new("api:{shop}") { PerDay = 1000 });
        await using var host = await JobHost.Create(Database, [slow], o => o.Concurrency = 20).StartAsync();
        Task<long[]> EnqueueAsync() => host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 6).Select(i => slow.Call(new { shop = i % 2 })));
        var runs = (await EnqueueAsync()).ToList();
        for (var i = 0; i < 6; i++) await gate.Started();

        await using var next = JobHost.Create(Database, [Slow(new("api:{shop}") { Slots = 2 })]);
        if (isByCode) await next.StartAsync();
        else await Limits(host).SetAsync("api", new(Slots: 2));
        runs.AddRange(await EnqueueAsync());
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.ready") == 0, "somebody looked");

        Assert.Equal([new JobLimitUsage("api:0", 3, 3, null), new("api:1", 3, 3, null)], await Limits(host).UsageAsync("api"));
        gate.Open();
        foreach (var run in runs) await host.EndOf(run);
    }

    [Fact]
    public async Task Slots_that_a_limit_is_given_count_what_is_just_being_claimed()
    {
        var slow = Limited("slow", _ => Task.CompletedTask, new LimitAttribute("api") { PerDay = 1000 });
        await using var host = JobHost.Create(Database, [slow]);
        await host.Jobs.EnqueueAsync(slow.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        await using var claiming = await connection.BeginTransactionAsync();
        Assert.Single(await ClaimAsync(host, connection, "slow"));

        var set = Limits(host).SetAsync("api", new(Slots: 2));
        await Eventually(async () => await host.ScalarAsync<bool>("select exists (select from pg_locks where not granted)") || set.IsCompleted, "it waits for the claim");
        await claiming.CommitAsync();
        await set;

        Assert.Equal([new JobLimitUsage("api", 1, 0, null)], await Limits(host).UsageAsync("api"));
    }

    [Fact]
    public async Task A_limit_that_is_made_again_counts_what_began_while_there_was_none()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation));
        var limited = new EnqueueOptions { Limits = ["gpu"] };
        await using var host = await StartAsync(slow);
        await Limits(host).SetAsync("gpu", new(Slots: 1));
        await host.Jobs.CancelAsync(await host.Jobs.EnqueueAsync(slow.Call(), limited with { Delay = TimeSpan.FromHours(1) })); // it is known now
        await Limits(host).ResetAsync("gpu");
        var first = await host.Jobs.EnqueueAsync(slow.Call(), limited);
        await gate.Started();
        await using (var connection = await host.Db.OpenConnectionAsync()) await LimitLoop.ForgetAsync(connection, default);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.bucket"));

        await Limits(host).SetAsync("gpu", new(Slots: 1));
        var second = await host.Jobs.EnqueueAsync(slow.Call(), limited);
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.ready") == 0, "somebody looked");

        Assert.Equal([new JobLimitUsage("gpu", 1, 1, null)], await Limits(host).UsageAsync("gpu"));
        gate.Open();
        foreach (var run in (long[])[first, second]) Assert.Equal(JobRunState.Succeeded, (await host.EndOf(run)).State);
    }

    [Fact]
    public async Task A_claim_of_other_work_does_not_look_at_what_waits_for_a_limit()
    {
        var slow = Limited("slow", _ => Task.CompletedTask, new LimitAttribute("one") { Slots = 1 });
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [slow, quick]);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 1000).Select(_ => slow.Call()));
        await using var connection = await host.Db.OpenConnectionAsync();
        var queue = await host.ScalarAsync<short>("select id from keelback.queue where name = 'default'");
        var worker = Keelback.Postgres.WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        ExchangeRequest Claiming(int limit) => new() { Outcomes = [], Claim = new([queue], [4], [0], limit, worker, "test", ["slow", "quick"]) };
        Assert.Single((await Exchange.RunAsync(connection, Claiming(1000), prepare: false, default)).Claimed.Claims);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 20).Select(_ => quick.Call()));

        await using var transaction = await connection.BeginTransactionAsync();
        await using var looks = new Npgsql.NpgsqlCommand(
            "select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0) + n_tup_ins)::int from pg_stat_xact_user_tables where relname in ('parked', 'bucket', 'slot')", connection);
        var before = await looks.ExecuteScalarAsync(); // the session's earlier ones are still among them
        var claimed = await Exchange.RunAsync(connection, Claiming(10), prepare: false, default);

        Assert.Equal((999, 10, 10), (await host.ScalarAsync<int>("select count(*)::int from keelback.parked"), claimed.Claimed.Claims.Count, claimed.Claimed.Seen.Count));
        Assert.Equal(before, await looks.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_flood_over_its_limit_is_out_of_the_way_after_a_few_claims()
    {
        var flood = Limited("flood", _ => Task.CompletedTask, new LimitAttribute("api") { PerDay = 1 });
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [flood, quick]);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 2000).Select(_ => flood.Call()));
        await host.Jobs.EnqueueAsync(quick.Call());
        await using var connection = await host.Db.OpenConnectionAsync();

        var started = new List<string>();
        for (var i = 0; i < 2; i++) started.AddRange((await ClaimAsync(host, connection, "flood", "quick")).Select(claim => claim.Kind));

        Assert.Equal(["flood", "quick"], started);
        Assert.Equal(1999, await host.ScalarAsync<long>("select count(*) from keelback.parked"));
    }

    [Fact]
    public async Task Only_what_is_over_the_limit_goes_out_of_the_way_with_it_and_keeps_its_order()
    {
        var shop = Limited("shop", _ => Task.CompletedTask, new LimitAttribute("shop:{shop}") { Slots = 1 });
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [shop, quick]);
        Job a = shop.Call(new { shop = "a" }), urgent = shop.Call(new { shop = "a" }).With(new() { Priority = 2 });
        var runs = await host.Jobs.EnqueueManyAsync(
            [a, shop.Call(new { shop = "a" }), quick.Call(), shop.Call(new { shop = "b" }), urgent, shop.Call(new { shop = "a" }), quick.Call(), shop.Call(new { shop = "a" })]);
        await using var connection = await host.Db.OpenConnectionAsync();
        var queue = await host.ScalarAsync<short>("select id from keelback.queue where name = 'default'");
        var worker = Keelback.Postgres.WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));

        var request = new ExchangeRequest { Outcomes = [], Claim = new([queue], [4], [0], 2, worker, "test", ["shop", "quick"]) };
        var claimed = await Exchange.RunAsync(connection, request, prepare: false, default);

        Assert.Equal(runs[0], Assert.Single(claimed.Claimed.Claims).RunId);
        Assert.Equal([runs[1], runs[5], runs[7]], await host.ScalarAsync<long[]>("select array_agg(run_id order by seq) from keelback.parked"));
        Assert.Equal([runs[4], runs[2], runs[3], runs[6]], await host.ScalarAsync<long[]>("select array_agg(run_id order by priority, seq) from keelback.ready"));
    }

    [Theory]
    [InlineData(false, "off")]
    [InlineData(true, "local")]
    public async Task A_claim_that_gives_out_a_slot_waits_for_the_disk_as_the_session_says_and_another_does_not(bool isLimited, string expected)
    {
        var work = Limited("work", _ => Task.CompletedTask, isLimited ? [new LimitAttribute("one") { Slots = 1 }] : []);
        await using var host = JobHost.Create(Database, [work]);
        await host.Jobs.EnqueueAsync(work.Call());
        await using var connection = await host.Db.OpenConnectionAsync();
        var queue = await host.ScalarAsync<short>("select id from keelback.queue where name = 'default'");
        var worker = Keelback.Postgres.WorkerRegistry.Register(connection, new("test", "w", [], "{}"), TimeSpan.FromHours(1));
        await using (var set = new Npgsql.NpgsqlCommand("set synchronous_commit = local", connection)) await set.ExecuteNonQueryAsync();

        await using var transaction = await connection.BeginTransactionAsync();
        var request = new ExchangeRequest { Outcomes = [], Claim = new([queue], [4], [0], 1, worker, "test", ["work"]) };
        Assert.Single((await Exchange.RunAsync(connection, request, prepare: false, default)).Claimed.Claims);

        await using var show = new Npgsql.NpgsqlCommand("show synchronous_commit", connection);
        Assert.Equal(expected, await show.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_call_can_have_keys_of_its_own_whose_numbers_are_in_the_settings()
    {
        var ledger = await Ledger.CreateAsync(Database.DataSource);
        var work = TestJobs.Kind("work", _ => ledger.RunAsync("work", TimeSpan.FromMilliseconds(5)));
        await using var host = await JobHost.Create(Database, [work], o => o.Limits["tenant"] = new(Slots: 1)).StartAsync();

        var runs = await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 8).Select(_ => work.Call().With(new() { Limits = ["tenant:42"] })));
        foreach (var run in runs) await host.EndOf(run);

        Assert.Equal((8, 1), (await ledger.CountAsync("work"), await ledger.MostAtOnceAsync("work")));
    }

    internal static JobKind Limited(string name, Func<JobCall, Task> body, params LimitAttribute[] limits) =>
        new(name, typeof(SlotTests), new(name), async call =>
        {
            await body(call);
            return default;
        })
        { Metadata = limits };

    internal static JobLimits Limits(JobHost host) => (JobLimits)host.Services.GetService(typeof(JobLimits))!;
}
