using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Jobs.Tests;

public sealed class RetentionTests : JobsTest
{
    [Fact]
    public async Task Weeks_of_ended_runs_are_dropped_and_an_open_run_keeps_its_own()
    {
        var count = TestJobs.Kind("count", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [count], clock: Clock);
        await host.Services.GetRequiredService<JobRevocations>().RevokeTagAsync("for an hour", TimeSpan.FromHours(1));
        await host.Services.GetRequiredService<JobRevocations>().RevokeKindAsync("for good");
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 50).Select(_ => count.Call().With(new() { Tags = ["old"] })));
        var open = await host.Jobs.EnqueueAsync(count.Call(), new() { Delay = TimeSpan.FromDays(365), Id = Guid.CreateVersion7() });
        await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        var retention = host.Services.GetRequiredService<RetentionLoop>();

        var early = await retention.RetireAsync(default);
        Clock.Advance(TimeSpan.FromDays(30));
        await PartitionKeeper.MakeAsync(host.Db, default);
        var late = await retention.RetireAsync(default);

        Assert.Equal((0, 0), early);
        Assert.Equal(50, late.Runs);
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run"));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.tag"));
        Assert.Equal("for good", await host.ScalarAsync<string>("select string_agg(value, ' ') from keelback.revocation"));
        await host.Jobs.CancelAsync(open);
        Clock.Advance(TimeSpan.FromDays(10));
        Assert.InRange((await retention.RetireAsync(default)).Partitions, 1, 4);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.uniq"));
    }

    [Fact]
    public async Task A_run_whose_result_an_open_one_takes_stays_with_its_week()
    {
        var one = TestJobs.Kind<int>("one", _ => Task.FromResult(1));
        var next = TestJobs.Kind<int>("next", call => Task.FromResult(call.Get<int>("n") + 1));
        await using var host = JobHost.Create(Database, [one, next], clock: Clock);
        var drainer = host.Services.GetRequiredService<JobDrainer>();
        var first = await host.Jobs.EnqueueAsync(one.Call<int>());
        await drainer.DrainAsync();
        await PassAsync(host, TimeSpan.FromDays(8));
        var second = await host.Jobs.EnqueueAsync(
            next.Call<int>(null, new JobBinding("n", Job.Of<int>(first))), new() { Delay = TimeSpan.FromDays(30) });

        await PassAsync(host, TimeSpan.FromDays(31));
        await drainer.DrainAsync();

        Assert.Equal(2, await host.Jobs.ResultAsync<int>(second));
        await PassAsync(host, TimeSpan.FromDays(30));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task What_a_run_that_did_not_succeed_takes_stays_as_long_as_that_run_and_without_it_the_run_is_not_opened_again()
    {
        var broken = true;
        var number = TestJobs.Kind("number", call => Task.FromResult(call.Get<int>("n")));
        var body = TestJobs.Kind("body", call => broken ? throw JobExit.Reject("no") : Task.FromResult(call.Get<int[]>("numbers").Sum()));
        await using var host = JobHost.Create(Database, [number, body], clock: Clock);
        var drainer = host.Services.GetRequiredService<JobDrainer>();
        var early = number.Call<int>(new { n = 40 });
        var late = number.Call<int>(new { n = 2 }).With(new() { Delay = TimeSpan.FromDays(40) });
        var runs = await host.Jobs.EnqueueManyAsync([body.Call<int>(null, new JobBinding("numbers", Job.All(early, late))), early]);
        await drainer.DrainAsync();
        await PassAsync(host, TimeSpan.FromDays(41)); // the first member's own retention is over
        await drainer.DrainAsync();
        await PassAsync(host, TimeSpan.FromDays(6));
        Assert.Equal(JobRunState.Failed, (await host.Jobs.GetAsync(runs[0]))!.State);
        Assert.NotNull(await host.Jobs.GetAsync(runs[1]));

        Assert.True(await host.Jobs.RetryAsync(runs[0]));
        await drainer.DrainAsync(); // fails again
        await host.ScalarAsync<long>($"with d as (delete from keelback.run where id = {runs[1]} returning 1) select count(*) from d");
        broken = false;
        var one = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.RetryAsync(runs[0]));
        var all = await Assert.ThrowsAsync<KeelbackException>(() => host.Jobs.RetryGraphAsync(runs[0]));

        Assert.Equal($"KB1288: Run {runs[0]} of 'body' was not opened again: of the 2 runs whose results it takes, 1 are gone with their retention. Enqueue the graph again.", one.Message);
        Assert.Equal(("KB1288", JobRunState.Failed), (all.Code, (await host.Jobs.GetAsync(runs[0]))!.State));
        await PassAsync(host, TimeSpan.FromDays(60));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task A_body_whose_member_is_gone_when_it_starts_fails_at_once_with_the_reason()
    {
        var ran = 0;
        var number = TestJobs.Kind("number", call => Task.FromResult(call.Get<int>("n")));
        var body = TestJobs.Kind("body", call => Task.FromResult(ran++));
        await using var host = JobHost.Create(Database, [number, body]);
        var member = await host.Jobs.EnqueueAsync(number.Call<int>(new { n = 1 }));
        await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        var run = await host.Jobs.EnqueueAsync(body.Call<int>(null, new JobBinding("numbers", Job.All(number.Call<int>(new { n = 2 }), Job.Of<int>(member)))));
        await host.ScalarAsync<long>($"with d as (delete from keelback.run where id = {member} returning 1) select count(*) from d");

        await host.StartAsync();
        var ended = await host.EndOf(run);

        Assert.Equal((JobRunState.Failed, 1, 0), (ended.State, ended.Attempt, ran));
        Assert.Equal($"KB1288: Run {run} of 'body' takes results of runs that are gone with their retention. Enqueue the graph again.", ended.Error!.Message);
    }

    [Fact]
    public async Task A_week_stays_when_a_run_of_it_is_opened_again_while_it_is_looked_at()
    {
        var fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);
        await using var host = JobHost.Create(Database, [fail], clock: Clock);
        var run = await host.Jobs.EnqueueAsync(fail.Call<int>());
        await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        Clock.Advance(TimeSpan.FromDays(30));
        await PartitionKeeper.MakeAsync(host.Db, default);
        await DropOtherWeeksAsync(host, run);

        await using var connection = await host.Db.OpenConnectionAsync();
        await using var held = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand($"select from keelback.run where id = {run} for update", connection)) await command.ExecuteNonQueryAsync();
        var retry = host.Jobs.RetryAsync(run);
        await Eventually(async () => await WaitingAsync(host) == 1, "the retry waits for the run's row");
        var retire = host.Services.GetRequiredService<RetentionLoop>().RetireAsync(default);
        await Eventually(async () => retire.IsCompleted || await WaitingAsync(host) == 2, "retention waits for the retry");
        await held.RollbackAsync();

        try
        {
            await retire;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // The machine is slow: it gave up, as it should.
        }

        Assert.True(await retry);
        Assert.Equal(JobRunState.Ready, (await host.Jobs.GetAsync(run))!.State);
    }

    [Fact]
    public async Task Who_takes_the_result_of_a_run_of_an_earlier_week_waits_for_a_look_at_it()
    {
        var number = TestJobs.Kind("number", call => Task.FromResult(call.Get("n", 1)));
        await using var host = JobHost.Create(Database, [number], clock: Clock);
        var run = await host.Jobs.EnqueueAsync(number.Call<int>());
        await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        await PassAsync(host, TimeSpan.FromDays(8));

        await using var connection = await host.Db.OpenConnectionAsync();
        await using var looked = await connection.BeginTransactionAsync();
        await using (var look = new NpgsqlBatch(connection) { BatchCommands = { RetentionLock.ToDelete("test") } }) await look.ExecuteNonQueryAsync();
        var enqueue = host.Jobs.EnqueueAsync(number.Call<int>(null, new JobBinding("n", Job.Of<int>(run))));
        await Eventually(async () => enqueue.IsCompleted || await WaitingAsync(host) == 1, "it waits");
        await using (var delete = new NpgsqlCommand($"delete from keelback.run where id = {run}", connection)) await delete.ExecuteNonQueryAsync();
        await looked.CommitAsync();

        Assert.Equal("KB1218", (await Assert.ThrowsAsync<KeelbackException>(() => enqueue)).Code);
    }

    [Fact]
    public async Task Attempts_and_edges_go_with_their_runs_when_the_week_stays()
    {
        var number = TestJobs.Kind("number", call => Task.FromResult(1));
        var fail = TestJobs.Kind<int>("fail", _ => throw new InvalidOperationException("no luck"), d => d.MaxAttempts = 1);
        await using var host = JobHost.Create(Database, [number, fail], clock: Clock);
        for (var i = 0; i < 5; i++) await host.Jobs.EnqueueAsync(number.Call<int>(null, new JobBinding("n", fail.Call<int>())));
        await host.Jobs.EnqueueAsync(number.Call<int>(), new() { Delay = TimeSpan.FromDays(3650) });
        await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        Assert.Equal((5, 5), await LeftAsync());

        await PassAsync(host, TimeSpan.FromDays(30));

        Assert.Equal((0, 0), await LeftAsync());
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from keelback.run"));

        async Task<(long, long)> LeftAsync() =>
            (await host.ScalarAsync<long>("select count(*) from keelback.attempt"), await host.ScalarAsync<long>("select count(*) from keelback.edge"));
    }

    [Fact]
    public async Task A_unique_key_is_forgotten_when_it_is_over_and_its_window_holds_without_its_run()
    {
        var note = TestJobs.Kind("note", _ => Task.CompletedTask);
        await using var host = JobHost.Create(Database, [note], clock: Clock);
        var windowed = new EnqueueOptions { Unique = new("one") { Window = TimeSpan.FromDays(60) } };
        var first = await host.Jobs.EnqueueAsync(note.Call(), windowed);
        await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 2500).Select(i => note.Call().With(new() { Unique = new($"order:{i}") })));
        await host.StartAsync();
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0") == 0, "all have run");
        await host.StopAsync();
        await host.Jobs.EnqueueAsync(note.Call(), new() { Unique = new("later"), Delay = TimeSpan.FromDays(365) });

        await PassAsync(host, TimeSpan.FromDays(30));
        Assert.Equal("kind:note:later kind:note:one", await KeysAsync(host));
        Assert.Equal((null, first), (await host.Jobs.GetAsync(first), await host.Jobs.EnqueueAsync(note.Call(), windowed)));
        await PassAsync(host, TimeSpan.FromDays(40));

        Assert.Equal("kind:note:later", await KeysAsync(host));
    }

    [Fact]
    public async Task A_run_that_is_opened_again_after_its_key_was_forgotten_takes_it_again()
    {
        var fail = true;
        var slow = TestJobs.Kind("slow", _ => fail ? throw JobExit.Reject("no") : Task.CompletedTask);
        await using var host = JobHost.Create(Database, [slow], clock: Clock);
        var options = new EnqueueOptions { Unique = new("one") };
        var run = await host.Jobs.EnqueueAsync(slow.Call(), options with { Delay = TimeSpan.FromDays(20) });
        await PassAsync(host, TimeSpan.FromDays(21));
        await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        await PassAsync(host, TimeSpan.FromHours(1));
        var forgotten = await KeysAsync(host);

        fail = false;
        Assert.True(await host.Jobs.RetryAsync(run));

        Assert.Equal(("", "kind:slow:one", run), (forgotten, await KeysAsync(host), await host.Jobs.EnqueueAsync(slow.Call(), options)));
    }

    // As after an earlier pass: else the drop of one of these is what waits.
    private static async Task DropOtherWeeksAsync(JobHost host, long run)
    {
        await using var drop = host.Db.CreateCommand(
            $"""
            do $$ declare week text; begin
                for week in select substring(c.relname from 5) from pg_inherits i join pg_class c on c.oid = i.inhrelid
                    where i.inhparent = 'keelback.run'::regclass and c.oid <> (select tableoid from keelback.run where id = {run})
                      and (substring(c.relname from 5)::bigint + 1) * 604800 < extract(epoch from keelback.clock() - interval '7 days')
                loop
                    execute format('drop table keelback.run_%1$s, keelback.attempt_%1$s, keelback.edge_%1$s, keelback.log_%1$s', week);
                end loop;
            end $$
            """);
        await drop.ExecuteNonQueryAsync();
    }

    private static Task<long> WaitingAsync(JobHost host) =>
        host.ScalarAsync<long>("select count(*) from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())");

    private static Task<string> KeysAsync(JobHost host) => host.ScalarAsync<string>("select coalesce(string_agg(key, ' ' order by key), '') from keelback.unique_key");

    private async Task PassAsync(JobHost host, TimeSpan time)
    {
        Clock.Advance(time);
        await PartitionKeeper.MakeAsync(host.Db, default);
        await host.Services.GetRequiredService<RetentionLoop>().RetireAsync(default);
    }

    [Fact]
    public async Task Each_app_keeps_its_runs_as_long_as_it_says()
    {
        var count = TestJobs.Kind("count", _ => Task.CompletedTask);
        await using var here = JobHost.Create(Database, [count], o => o.Retention = TimeSpan.FromDays(7), app: "here", clock: Clock);
        await using var there = JobHost.Create(Database, [count], o => o.Retention = TimeSpan.FromDays(90), app: "there", clock: Clock);
        foreach (var host in new[] { here, there })
        {
            await host.Jobs.EnqueueManyAsync(Enumerable.Range(0, 10).Select(_ => count.Call()));
            await host.Services.GetRequiredService<JobDrainer>().DrainAsync();
        }

        Clock.Advance(TimeSpan.FromDays(30));
        await here.Services.GetRequiredService<RetentionLoop>().RetireAsync(default);
        await there.Services.GetRequiredService<RetentionLoop>().RetireAsync(default);

        const string Left = "select count(*) from keelback.run r join keelback.queue q on q.id = r.queue where q.app = ";
        Assert.Equal((0L, 10L), (await here.ScalarAsync<long>(Left + "'here'"), await here.ScalarAsync<long>(Left + "'there'")));
    }
}
