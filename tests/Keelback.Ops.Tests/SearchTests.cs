using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Ops.Tests;

public sealed class SearchTests : OpsTest
{
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");
    private static readonly JobKind s_bad = TestJobs.Kind("import.rows", _ => throw new InvalidOperationException("Zebra crossing <b>closed</b>"), j => j.MaxAttempts = 1);

    [Fact]
    public async Task A_run_is_found_by_kind_queue_state_words_and_time()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail, s_bad]);
        var mail = await app.Jobs.EnqueueAsync(s_mail.Call(new { to = "ada.lovelace@example.com", number = 4711 }));
        var bad = await app.Jobs.EnqueueAsync(s_bad.Call(new { file = "tracks.csv" }));
        await app.DrainAsync();
        var later = await app.Jobs.EnqueueAsync(s_mail.Call(new { to = "bob" }), new() { Delay = TimeSpan.FromHours(1) });
        await app.CopyAsync();

        await ShouldFind(app, "", later, bad, mail);
        await ShouldFind(app, "?kind=mail.send", later, mail);
        await ShouldFind(app, "?queue=mail", later, mail);
        await ShouldFind(app, "?state=failed", bad);
        await ShouldFind(app, "?state=succeeded", mail);
        await ShouldFind(app, "?state=scheduled", later);
        await ShouldFind(app, "?state=running");
        await ShouldFind(app, "?text=lovelace%40exam", mail);
        await ShouldFind(app, "?text=4711+ada", mail);
        await ShouldFind(app, "?text=zebra", bad);
        await ShouldFind(app, "?text=4711+zebra");
        await ShouldFind(app, "?from=2099-01-01");
        await ShouldFind(app, "?from=2020-01-02&to=2099-01-01", later, bad, mail);
    }

    [Fact]
    public async Task A_page_begins_where_the_last_one_ended()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var runs = await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 120).Select(i => s_mail.Call(new { i })));
        await app.CopyAsync();

        var seen = new List<long>();
        var path = "/ops/jobs/runs?queue=mail";
        for (var page = 0; page < 3; page++)
        {
            var html = await app.PageAsync(path);
            seen.AddRange(Ids(html));
            path = html.Split("<p class=\"more\"><a href=\"").Skip(1).FirstOrDefault()?.Split('"')[0].Replace("&amp;", "&");
            if (path is null) break;
        }

        Assert.Equal(runs.OrderDescending(), seen);
        Assert.Null(path);
    }

    [Fact]
    public async Task A_word_that_every_older_run_holds_is_found_page_by_page_and_none_twice()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var old = await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 700).Select(i => s_mail.Call(new { to = "common", i })));
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 700).Select(i => s_mail.Call(new { to = "other", i })));
        await app.CopyAsync();
        await using (var command = app.Db.CreateCommand("analyze keelback.run_words")) await command.ExecuteNonQueryAsync();

        var seen = new List<long>();
        for (var path = "/ops/jobs/runs?text=common"; path is not null;)
        {
            var html = await app.PageAsync(path);
            seen.AddRange(Ids(html));
            path = html.Split("<p class=\"more\"><a href=\"").Skip(1).FirstOrDefault()?.Split('"')[0].Replace("&amp;", "&");
        }

        Assert.Equal(old.OrderDescending(), seen);
    }

    [Fact]
    public async Task A_word_is_found_however_long_it_is()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var word = new string('x', 3000);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call(new { word }));
        await app.CopyAsync();

        await ShouldFind(app, "?text=" + word, run);
        await ShouldFind(app, "?text=" + word[..99] + "y");
    }

    [Fact]
    public async Task The_first_word_of_a_line_is_found_and_a_letter_after_a_backslash_is_one()
    {
        var torn = TestJobs.Kind("torn", _ => throw new InvalidOperationException("Out of paper:\n\tquagga\r\nokapi"), j => j.MaxAttempts = 1);
        await using var app = await OpsApp.OpenAsync(Database, [s_mail, torn]);
        var mail = await app.Jobs.EnqueueAsync(s_mail.Call(new { body = "hello\nzebra\ttapir\u0001lynx \"puma\"", path = @"C:\numbers\new" }));
        var bad = await app.Jobs.EnqueueAsync(torn.Call());
        await app.DrainAsync();
        await app.CopyAsync();

        foreach (var word in new[] { "hello", "zebra", "tapir", "lynx", "puma", "numbers", "new" }) await ShouldFind(app, "?text=" + word, mail);
        foreach (var word in new[] { "quagga", "okapi", "paper" }) await ShouldFind(app, "?text=" + word, bad);
        await ShouldFind(app, "?text=nzebra");
    }

    [Fact]
    public async Task A_run_that_will_be_tried_again_is_found_by_the_error_of_its_last_attempt()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call(new { to = "ada" }));
        Task<int> FailAsync(int attempt, string message) => app.ScalarAsync<int>(
            $"""
            insert into keelback.attempt (run_id, n, worker_id, started_at, ended_at, outcome, error)
            values ({run}, {attempt}, 1, keelback.clock(), keelback.clock(), 0, jsonb_build_object('message', '{message}')) returning 1
            """);

        await FailAsync(1, "zebra");
        await app.CopyAsync();
        await ShouldFind(app, "?text=zebra", run); // known when it was copied

        await FailAsync(2, "quagga");
        await app.CopyAsync();

        await ShouldFind(app, "?text=quagga+ada&state=open", run);
        await ShouldFind(app, "?text=zebra");
        Assert.Equal(1L, await app.ScalarAsync<long>("select sum(open)::bigint from keelback.queue_look"));
    }

    [Theory]
    [InlineData(JobRunState.Scheduled, "=")]
    [InlineData(JobRunState.Ready, "<>")]
    public async Task A_run_in_a_state_is_found_on_the_first_page_however_many_newer_ones_are_in_another(JobRunState state, string later)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call());
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 1000).Select(_ => s_mail.Call()));
        await using (var command = app.Db.CreateCommand(
            $"""
            with late as (
                delete from keelback.ready where run_id {later} {run} returning run_id
            ), due as (
                update keelback.run set due_at = keelback.clock() + interval '1 hour' from late where id = run_id
            )
            insert into keelback.timer (at, run_id, what) select keelback.clock() + interval '1 hour', run_id, 0 from late
            """)) await command.ExecuteNonQueryAsync();
        await app.CopyAsync();
        var searcher = new RunSearcher(app.Db, app.Services.GetRequiredService<QueueCatalog>(), new Hasty());

        var page = await searcher.FindAsync(new() { State = state }, 50, default);

        Assert.Equal([run], page.Runs.Select(r => r.Id));
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task Each_app_has_an_agent_of_its_own_that_copies_its_own_runs()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var mine = await app.Jobs.EnqueueAsync(s_mail.Call());
        await using (var command = app.Db.CreateCommand(
            """
            insert into keelback.queue (app, name) values ('other', 'mail');
            insert into keelback.run (id, kind, queue, priority, max_attempts, input)
            select r.id - 1, 'theirs', q.id, 4, 1, '{}' from keelback.run r, keelback.queue q where q.app = 'other';
            insert into keelback.search_cursor values ('other', 0, 0, null, null, 0, 0, 'epoch')
            """)) await command.ExecuteNonQueryAsync();
        await app.CopyAsync();

        await ShouldFind(app, "", mine);
        Assert.Equal(1L, await app.ScalarAsync<long>("select count(*) from keelback.run_search"));
        Assert.Equal("1 0", await app.ScalarAsync<string>(
            "select concat_ws(' ', count(*) filter (where app = 'test' and fast > 0), count(*) filter (where app = 'other' and fast > 0)) from keelback.search_cursor"));
        Assert.Equal(1L, await app.ScalarAsync<long>("select sum(enqueued)::bigint from keelback.rollup where step = 0"));
    }

    [Fact]
    public async Task A_run_whose_transaction_committed_late_is_found_all_the_same()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail, TestJobs.Kind("late", _ => Task.CompletedTask)]);
        await app.Jobs.EnqueueAsync(s_mail.Call());
        await using var connection = await app.Db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            """
            insert into keelback.run (id, kind, queue, priority, max_attempts, input)
            select keelback.first_run_id(keelback.clock()) | 77, 'late', queue, 4, 1, '{}' from keelback.run limit 1 returning id
            """, connection, transaction);
        var late = (long)(await command.ExecuteScalarAsync())!;
        await app.Jobs.EnqueueAsync(s_mail.Call());
        await app.CopyAsync();
        await ShouldFind(app, "?kind=late");

        await transaction.CommitAsync();
        await app.CopyAsync();

        await ShouldFind(app, "?kind=late", late);
        Assert.Equal(3L, await app.ScalarAsync<long>("select sum(enqueued)::bigint from keelback.rollup where step = 0"));
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_with_what_is_near()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);

        var response = await app.Client.GetAsync("/ops/jobs/runs?state=faild&kin=x&from=yesterday&queue=mial");

        Assert.Equal(400, (int)response.StatusCode);
        var html = await response.Content.ReadAsStringAsync();
        Assert.Contains("&#x27;faild&#x27; is no state. Did you mean &#x27;failed&#x27;?", html);
        Assert.Contains("There is no &#x27;kin&#x27; here. Did you mean &#x27;kind&#x27;?", html);
        Assert.Contains("&#x27;yesterday&#x27; is no point in time.", html);
        Assert.Contains("There is no queue &#x27;mial&#x27; in this app. Did you mean &#x27;mail&#x27;?", html);
    }

    [Fact]
    public async Task Each_run_is_counted_once_when_it_came_and_once_when_it_ended()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail, s_bad]);
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 10).Select(_ => s_mail.Call()));
        await app.CopyAsync();
        await app.DrainAsync();
        await app.Jobs.EnqueueAsync(s_bad.Call());
        await app.DrainAsync();
        await app.CopyAsync();
        await app.CopyAsync();

        Assert.Equal("11 10 1", await app.ScalarAsync<string>("select concat_ws(' ', sum(enqueued), sum(succeeded), sum(failed)) from keelback.rollup where step = 0"));
        Assert.Equal("11 10 1", await app.ScalarAsync<string>("select concat_ws(' ', sum(enqueued), sum(succeeded), sum(failed)) from keelback.rollup where step = 1"));
        Assert.Equal(11L, await app.ScalarAsync<long>("select sum(n)::bigint from keelback.rollup, unnest(took) n where step = 0"));
        Assert.Equal(0m, await app.ScalarAsync<decimal>("select sum(open) from keelback.queue_look"));
    }

    /// <summary>Whatever it is asked for is over: reading in turn stops after its first part.</summary>
    private sealed class Hasty : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now += TimestampFrequency;
    }

    private static async Task ShouldFind(OpsApp app, string query, params long[] runs) =>
        Assert.Equal(runs, Ids(await app.PageAsync("/ops/jobs/runs" + query)));

    private static long[] Ids(string html) =>
        [.. html.Split("<td><a class=\"id\" href=\"/ops/jobs/runs/").Skip(1).Select(part => long.Parse(part.Split('"')[0]))];
}
