using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Keelback.Testing;
using Microsoft.Extensions.DependencyInjection;
using TestJobs = Keelback.Jobs.Tests.TestJobs;

namespace Keelback.Ops.Tests;

public sealed class AgentTests : OpsTest
{
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");

    [Fact]
    public async Task A_run_that_ends_after_it_was_copied_is_noted_whichever_way_it_ends()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var runs = await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 3).Select(_ => s_mail.Call()));
        await app.CopyAsync();
        var open = await app.ScalarAsync<long>("select open from keelback.queue_look");

        await app.Jobs.CancelAsync(runs[0]);
        await app.DrainAsync();
        await app.CopyAsync();

        Assert.Equal(3, open);
        Assert.Equal("3 1 1", await app.ScalarAsync<string>("select string_agg(state::text, ' ' order by id) from keelback.run_search"));
        Assert.Equal(0L, await app.ScalarAsync<long>("select open from keelback.queue_look"));
        Assert.Equal("2 1", await app.ScalarAsync<string>("select concat_ws(' ', succeeded, cancelled) from keelback.rollup where step = 2"));
    }

    [Fact]
    public async Task A_run_that_is_opened_again_is_open_in_the_search_too()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call());
        await app.Jobs.CancelAsync(run);
        await app.CopyAsync();

        await using (var command = app.Db.CreateCommand("update keelback.run set state = 0, finished_at = null")) await command.ExecuteNonQueryAsync();
        await app.CopyAsync();

        Assert.Equal((short)0, await app.ScalarAsync<short>("select state from keelback.run_search"));
        Assert.Equal(1L, await app.ScalarAsync<long>("select open from keelback.queue_look"));
    }

    [Fact]
    public async Task Thousands_that_are_opened_again_are_noted_in_one_go()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        for (var i = 0; i < 3; i++) await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 1000).Select(_ => s_mail.Call()));
        await app.ScalarAsync<long>("with ended as (update keelback.run set state = 2, finished_at = keelback.clock() returning 1) select count(*) from ended");
        await CopiedAsync(app);

        await app.ScalarAsync<long>("with again as (update keelback.run set state = 0, finished_at = null returning 1) select count(*) from again");
        for (var more = true; more;) more = await app.Agent.PassAsync(default);

        Assert.Equal("3000 3000", await app.ScalarAsync<string>(
            "select concat_ws(' ', (select count(*) from keelback.run_search where state = 0), (select sum(open) from keelback.queue_look))"));
    }

    [Fact]
    public async Task A_round_that_finds_runs_opened_again_counts_in_the_lag_and_the_newest_need_not_wait_for_its_end()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        var first = await app.Jobs.EnqueueAsync(s_mail.Call());
        await app.Jobs.CancelAsync(first);
        await CopiedAsync(app);
        await app.ScalarAsync<long>(
            """
            with more as (
                insert into keelback.run_search (id, kind, queue, state) select s.id + i, s.kind, s.queue, 2 from keelback.run_search s, generate_series(1, 13000) i returning 1
            ) select count(*) from more
            """);
        var last = await app.Jobs.EnqueueAsync(s_mail.Call());
        await app.Jobs.CancelAsync(last);
        await CopiedAsync(app);
        async Task<TimeSpan> PassAsync()
        {
            await app.Agent.PassAsync(default);
            return await LagAsync(app);
        }

        await app.ScalarAsync<long>("with again as (update keelback.run set state = 0, finished_at = null returning 1) select count(*) from again");
        var begun = await PassAsync();
        clock.Advance(TimeSpan.FromMinutes(1));
        var part = await PassAsync();
        var open = await app.ScalarAsync<string>("select string_agg(id::text, ' ' order by id) from keelback.run_search where state = 0");
        var whole = await PassAsync();

        Assert.Equal($"{first} {last}", open);
        Assert.True(begun < TimeSpan.FromSeconds(60), $"{begun}");
        Assert.True(part > TimeSpan.FromSeconds(60), $"{part}");
        Assert.True(whole < TimeSpan.FromSeconds(60), $"{whole}");
    }

    [Fact]
    public async Task A_run_that_is_retried_by_hand_is_noted_at_each_end_and_each_attempt_beyond_the_first_counts_once()
    {
        var attempts = 0;
        var flaky = TestJobs.Kind("flaky", _ => ++attempts < 3 ? throw new InvalidOperationException() : Task.CompletedTask, j => j.MaxAttempts = 1);
        await using var app = await OpsApp.OpenAsync(Database, [flaky]);
        var run = await app.Jobs.EnqueueAsync(flaky.Call());

        for (var end = 0; end < 3; end++)
        {
            if (end > 0) await app.Jobs.RetryAsync(run);
            await app.DrainAsync();
            await app.CopyAsync();
        }

        Assert.Equal((short)1, await app.ScalarAsync<short>("select state from keelback.run_search"));
        Assert.Equal("2 1 2", await app.ScalarAsync<string>("select concat_ws(' ', failed, succeeded, retries) from keelback.rollup where step = 2"));
        Assert.Equal(0L, await app.ScalarAsync<long>("select sum(open)::bigint from keelback.queue_look"));
    }

    [Fact]
    public async Task The_lag_is_that_of_the_open_runs_that_are_asked_in_parts()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        for (var i = 0; i < 3; i++) await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 1000).Select(_ => s_mail.Call()));
        await app.CopyAsync();
        while (await app.ScalarAsync<long>("select look from keelback.search_cursor") > 0) await app.Agent.PassAsync(default);

        clock.Advance(TimeSpan.FromMinutes(1));
        await app.Agent.PassAsync(default);
        var part = await LagAsync(app);
        await app.Agent.PassAsync(default);
        var whole = await LagAsync(app);

        Assert.True(part > TimeSpan.FromSeconds(60), $"{part}");
        Assert.True(whole < TimeSpan.FromSeconds(60), $"{whole}");
    }

    [Fact]
    public async Task Two_nodes_copy_each_run_once()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        await using var other = await OpsApp.OpenAsync(Database, [s_mail]);
        for (var i = 0; i < 5; i++) await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 1000).Select(_ => s_mail.Call()));

        await Task.WhenAll(app.CopyAsync(), other.CopyAsync());
        await app.CopyAsync();

        Assert.Equal(5000L, await app.ScalarAsync<long>("select count(*) from keelback.run_search"));
        Assert.Equal(5000L, await app.ScalarAsync<long>("select enqueued from keelback.rollup where step = 2"));
    }

    [Fact]
    public async Task Copies_go_when_their_runs_are_gone_and_figures_and_audit_when_they_are_old()
    {
        var clock = new TestClock(Database.DataSource);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail], clock);
        await app.Jobs.EnqueueManyAsync([s_mail.Call(), s_mail.Call()]);
        await app.DrainAsync();
        await app.CopyAsync();
        await using (var command = app.Db.CreateCommand(
            """
            delete from keelback.run where id = (select min(id) from keelback.run);
            insert into keelback.audit (at, app, who, via, action, target, outcome) values (keelback.clock(), 'test', 'a', 'cli', 'x', 'y', 'z');
            """)) await command.ExecuteNonQueryAsync();
        var tidier = app.Services.GetRequiredService<Tidier>();
        await tidier.TidyAsync(default);
        var young = await app.ScalarAsync<long>("select count(*) from keelback.run_search");

        clock.Advance(TimeSpan.FromDays(8));
        await tidier.TidyAsync(default);
        var old = await CountsAsync(app);
        clock.Advance(TimeSpan.FromDays(800));
        await tidier.TidyAsync(default);

        Assert.Equal(2, young);
        Assert.Equal("1 1 0 1 1 1", old);
        Assert.Equal("1 1 0 0 1 0", await CountsAsync(app));
    }

    [Fact]
    public async Task What_another_app_keeps_for_longer_stays()
    {
        await using var app = await OpsApp.OpenAsync(Database, ops: o => (o.KeepFigures, o.KeepAudit) = (TimeSpan.FromDays(10), TimeSpan.FromDays(10)));
        await using (var command = app.Db.CreateCommand(
            """
            insert into keelback.queue (app, name) values ('test', 'own'), ('other', 'theirs');
            insert into keelback.rollup select step, keelback.clock() - interval '20 days', id, 'kind', 1, 1, 0, 0, 0, 0, 1, '{1}', 1, '{1}' from keelback.queue, (values (0), (1)) s (step);
            insert into keelback.audit (at, app, who, via, action, target, outcome)
            select keelback.clock() - interval '20 days', app, 'ada', 'cli', 'pause', 'queue x', 'paused' from keelback.queue;
            insert into keelback.bulk (app, who, action, filter, at, upto, ended_at)
            select app, 'ada', 'retry', '{}', keelback.clock() - interval '20 days', 0, keelback.clock() - interval '20 days' from keelback.queue;
            """)) await command.ExecuteNonQueryAsync();

        await app.Services.GetRequiredService<Tidier>().TidyAsync(default);

        Assert.Equal("other, other, other 0, other 1", await app.ScalarAsync<string>(
            """
            select string_agg(what, ', ' order by what) from (
                select app from keelback.audit union all select app from keelback.bulk
                union all select q.app || ' ' || r.step from keelback.rollup r join keelback.queue q on q.id = r.queue) t (what)
            """));
    }

    [Fact]
    public async Task A_full_queue_is_looked_at_without_counting_it()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        for (var i = 0; i < 3; i++) await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 1000).Select(_ => s_mail.Call()));

        await app.Services.GetRequiredService<QueueLooker>().LookAsync(default);

        Assert.Equal(1001, await app.ScalarAsync<int>("select ready from keelback.queue_look where ready > 0"));
        Assert.Contains("1,000&#x2B;", await app.PageAsync("/ops/jobs"));
    }

    [Fact]
    public async Task Cancelled_runs_at_the_head_of_a_queue_hide_neither_its_age_nor_its_depth()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var runs = await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 250).Select(_ => s_mail.Call()));
        foreach (var run in runs.Take(150)) await app.Jobs.CancelAsync(run);

        await app.Services.GetRequiredService<QueueLooker>().LookAsync(default);

        Assert.Equal(100, await app.ScalarAsync<int>("select ready from keelback.queue_look where queue = (select queue from keelback.run limit 1)"));
        Assert.Equal(runs[150], await app.ScalarAsync<long>(
            "select r.id from keelback.queue_look l join keelback.run r on keelback.run_enqueued_at(r.id) = l.oldest_at where r.state = 0 order by r.id limit 1"));
        Assert.Equal(100L, await app.ScalarAsync<long>("select count(*) from keelback.ready"));
    }

    [Fact]
    public async Task A_cancelled_run_between_others_is_not_counted_as_waiting()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var runs = await app.Jobs.EnqueueManyAsync([s_mail.Call(), s_mail.Call(), s_mail.Call()]);
        await app.Jobs.CancelAsync(runs[1]);

        await app.Services.GetRequiredService<QueueLooker>().LookAsync(default);

        Assert.Equal(2, await app.ScalarAsync<int>("select ready from keelback.queue_look where ready > 0"));
    }

    /// <summary>Up to where the next round over the ended runs begins.</summary>
    private static async Task CopiedAsync(OpsApp app)
    {
        await app.CopyAsync();
        while (await app.ScalarAsync<long>("select look_back from keelback.search_cursor") > 0) await app.Agent.PassAsync(default);
    }

    private static async Task<TimeSpan> LagAsync(OpsApp app) =>
        (await app.Services.GetRequiredService<OverviewReader>().ReadAsync(FigureRange.Hour, default)).Lag;

    /// <summary>Copies, their words, figures a minute, an hour, in all, and audit rows.</summary>
    private static Task<string> CountsAsync(OpsApp app) => app.ScalarAsync<string>(
        """
        select concat_ws(' ', (select count(*) from keelback.run_search), (select count(*) from keelback.run_words),
            (select count(*) from keelback.rollup where step = 0), (select count(*) from keelback.rollup where step = 1),
            (select count(*) from keelback.rollup where step = 2), (select count(*) from keelback.audit))
        """);
}
