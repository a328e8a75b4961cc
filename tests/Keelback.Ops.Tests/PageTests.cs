using System.Text.Json;
using System.Net;
using Keelback.Jobs;
using Keelback.Jobs.Tests;

namespace Keelback.Ops.Tests;

public sealed class PageTests : OpsTest
{
    private const string Evil = "<script>alert('1')</script><img src=x onerror=alert(1)>\"'";

    [Fact]
    public async Task Whatever_a_run_holds_is_shown_as_text()
    {
        var evil = TestJobs.Kind(Evil, _ => throw new InvalidOperationException(Evil), j => (j.MaxAttempts, j.Queue) = (1, Evil));
        await using var app = await OpsApp.OpenAsync(Database, [evil]);
        var run = await app.Jobs.EnqueueAsync(evil.Call(new Dictionary<string, string> { [Evil] = Evil }));
        await app.DrainAsync();
        await app.CopyAsync();
        await app.Services.GetService<QueueLooker>().LookAsync(default);

        foreach (var path in new[] { "/ops/jobs", "/ops/jobs/runs", $"/ops/jobs/runs/{run}", $"/ops/jobs/runs?kind={Uri.EscapeDataString(Evil)}&tag={Uri.EscapeDataString(Evil)}" })
        {
            var html = await app.PageAsync(path);
            Assert.Contains("&lt;script&gt;", html);
            Assert.DoesNotContain("<script>", html);
            Assert.DoesNotContain("<img", html);
        }
    }

    [Fact]
    public async Task A_run_that_was_put_off_and_runs_again_started_when_it_runs_now()
    {
        var slow = TestJobs.Kind("slow", _ => Task.CompletedTask);
        await using var app = await OpsApp.OpenAsync(Database, [slow]);
        var run = await app.Jobs.EnqueueAsync(slow.Call());
        await using (var command = app.Db.CreateCommand(
            """
            update keelback.run set started_at = '2020-01-01Z';
            insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at) select id, 1, 1, 1, 0, '2020-01-02Z' from keelback.run;
            """)) await command.ExecuteNonQueryAsync();
        await app.CopyAsync();

        var details = JsonDocument.Parse(await app.PageAsync($"/ops/jobs/api/runs/{run}")).RootElement;
        var list = JsonDocument.Parse(await app.PageAsync("/ops/jobs/api/runs")).RootElement.GetProperty("runs")[0];

        Assert.Equal(("2020-01-02", "2020-01-02"), (details.GetProperty("startedAt").GetString()![..10], list.GetProperty("startedAt").GetString()![..10]));
    }

    [Fact]
    public async Task The_overview_tells_queues_figures_and_workers()
    {
        var quick = TestJobs.Kind("quick", _ => Task.CompletedTask, j => j.Queue = "mail");
        await using var app = await OpsApp.OpenAsync(Database, [quick]);
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 30).Select(_ => quick.Call()));
        await app.DrainAsync();
        await app.Jobs.EnqueueAsync(quick.Call());
        await app.CopyAsync();
        await app.Services.GetService<QueueLooker>().LookAsync(default);

        foreach (var range in new[] { "", "?range=24h", "?range=7d" })
        {
            var html = await app.PageAsync("/ops/jobs" + range);
            Assert.Contains("<b>30</b>succeeded", html);
            Assert.Contains("<b>1</b>open", html);
            Assert.Contains("href=\"/ops/jobs/runs?queue=mail\"", html);
            Assert.Contains("No worker is alive", html);
        }
    }

    [Fact]
    public async Task A_run_tells_its_arguments_attempts_and_stack()
    {
        var flaky = TestJobs.Kind("flaky", _ => throw new InvalidOperationException("Out of luck"), j => j.MaxAttempts = 2);
        await using var app = await OpsApp.OpenAsync(Database, [flaky]);
        var run = await app.Jobs.EnqueueAsync(flaky.Call(new { coin = "heads" }));
        while ((await app.Jobs.GetAsync(run))!.State != JobRunState.Failed) await app.DrainAsync();

        var html = await app.PageAsync($"/ops/jobs/runs/{run}");

        Assert.Contains("&quot;coin&quot;: &quot;heads&quot;", html);
        Assert.Contains("<b>System.InvalidOperationException</b> Out of luck", html);
        Assert.Contains("at Keelback.Ops.Tests.PageTests", html);
        Assert.Contains("attempt 2 failed", html);
        Assert.Contains("class=\"state bad\"", html);
    }

    [Fact]
    public async Task A_run_that_waits_for_a_limit_says_for_which()
    {
        var charge = TestJobs.Kind("charge", _ => Task.CompletedTask);
        await using var app = await OpsApp.OpenAsync(Database, [charge]);
        await app.Services.GetService<JobLimits>().SetAsync("stripe", new(Slots: 1));
        var run = await app.Jobs.EnqueueAsync(charge.Call(), new() { Limits = ["stripe:eu"] });
        await app.ScalarAsync<bool>(
            $"""
            with bucket as (insert into keelback.bucket (app, key) values ('test', 'stripe:eu') returning id),
                 ready as (delete from keelback.ready where run_id = {run} returning *)
            insert into keelback.parked (bucket, priority, seq, run_id, attempt, crashes, queue)
            select bucket.id, priority, seq, run_id, attempt, crashes, queue from ready, bucket returning true
            """);
        await app.CopyAsync();

        var page = await app.PageAsync($"/ops/jobs/runs/{run}");
        var list = await app.PageAsync("/ops/jobs/runs?state=limited");

        Assert.Contains("</svg>limited</span>", page);
        Assert.Contains("<dd>the limit stripe:eu</dd>", page);
        Assert.Contains($"/ops/jobs/runs/{run}", list);
        Assert.Contains("waits for stripe:eu", list);
        Assert.DoesNotContain($"/ops/jobs/runs/{run}", await app.PageAsync("/ops/jobs/runs?state=ready"));
    }

    [Fact]
    public async Task A_run_shows_what_it_logged()
    {
        await using var app = await OpsApp.OpenAsync(Database, []);
        var chatty = TestJobs.Kind("chatty", _ => Task.CompletedTask);
        var run = await app.Jobs.EnqueueAsync(chatty.Call());
        await app.ScalarAsync<bool>(
            $"insert into keelback.log values ({run}, 1, 1, keelback.clock(), 3, 'Store.Mail', 'Disk is <nearly> full') returning true");

        var html = await app.PageAsync($"/ops/jobs/runs/{run}");

        Assert.Contains("<td class=\"wrap\" title=\"Store.Mail\">Disk is &lt;nearly&gt; full</td>", html);
        Assert.Contains("<tr class=\"warning\">", html);
    }

    [Fact]
    public async Task A_secret_argument_is_not_shown_not_even_encrypted()
    {
        var charge = TestJobs.Kind("charge", _ => Task.CompletedTask).Secret("card");
        await using var app = await OpsApp.OpenAsync(Database, [charge]);
        var run = await app.Jobs.EnqueueAsync(charge.Call(new { order = 7, card = "4111" }));
        var stored = await app.ScalarAsync<string>($"select input -> 'card' ->> '$secret' from keelback.run where id = {run}");

        var html = await app.PageAsync($"/ops/jobs/runs/{run}");

        Assert.Contains("&quot;card&quot;: &quot;(secret)&quot;", html);
        Assert.DoesNotContain(stored, html);
        Assert.DoesNotContain(stored, await app.PageAsync($"/ops/jobs/api/runs/{run}"));
    }

    [Fact]
    public async Task A_run_that_is_not_there_is_a_404_that_says_so()
    {
        await using var app = await OpsApp.OpenAsync(Database);

        var response = await app.Client.GetAsync("/ops/jobs/runs/4711");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("There is no run 4711", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/ops/jobs/rnus", 404, "Nothing of the jobs has this address.")]
    [InlineData("/ops/jobs/runs/abc", 404, "Nothing of the jobs has this address.")]
    [InlineData("/ops/jobs/bulk/99", 404, "There is no bulk 99.")]
    [InlineData("/ops/jobs/runs?kind=a%00b", 400, "'a␀b' (kind) holds a NUL character, which no run does. Take it out.")]
    public async Task What_is_not_there_or_cannot_be_is_told_on_a_page(string path, int status, string message)
    {
        await using var app = await OpsApp.OpenAsync(Database);

        var response = await app.Client.GetAsync(path);

        Assert.Equal((status, "text/html"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Contains(message, WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync()));
        Assert.Equal("application/problem+json", (await app.Client.GetAsync("/ops/jobs/api/rnus")).Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task A_time_that_does_not_read_stays_in_its_field()
    {
        await using var app = await OpsApp.OpenAsync(Database);

        var html = await (await app.Client.GetAsync("/ops/jobs/runs?from=yesterdy")).Content.ReadAsStringAsync();

        Assert.Contains("<input name=\"from\" value=\"yesterdy\" aria-invalid=\"true\"", html);
        Assert.Contains("&#x27;yesterdy&#x27; is no point in time", html);
    }

    [Fact]
    public async Task Open_runs_are_found_as_the_overview_counts_them()
    {
        var mail = TestJobs.Kind("mail", _ => Task.CompletedTask);
        await using var app = await OpsApp.OpenAsync(Database, [mail]);
        var done = await app.Jobs.EnqueueAsync(mail.Call());
        await app.DrainAsync();
        long[] open = [await app.Jobs.EnqueueAsync(mail.Call()), await app.Jobs.EnqueueAsync(mail.Call(), new() { Delay = TimeSpan.FromDays(1) })];
        await app.CopyAsync();

        var html = await app.PageAsync("/ops/jobs/runs?state=open");

        Assert.Contains("/ops/jobs/runs?state=open", await app.PageAsync("/ops/jobs"));
        Assert.All(open, run => Assert.Contains($"/ops/jobs/runs/{run}\"", html));
        Assert.DoesNotContain($"/ops/jobs/runs/{done}\"", html);
    }

    [Fact]
    public async Task The_timeline_ends_with_the_end()
    {
        var bad = TestJobs.Kind("bad", _ => throw new InvalidOperationException("No"), j => j.MaxAttempts = 1);
        await using var app = await OpsApp.OpenAsync(Database, [bad]);
        var run = await app.Jobs.EnqueueAsync(bad.Call());
        await app.DrainAsync();
        await app.ScalarAsync<bool>($"update keelback.attempt set ended_at = ended_at + interval '1 ms' where run_id = {run} returning true");

        var html = await app.PageAsync($"/ops/jobs/runs/{run}");

        Assert.EndsWith("<span>failed</span></li>", html.Split("<ol class=\"timeline\">")[1].Split("</ol>")[0].Trim());
    }

    [Fact]
    public async Task Arguments_that_come_from_the_graph_are_named()
    {
        var echo = TestJobs.Kind<string>("echo", call => Task.FromResult(call.Get<string>("word")));
        await using var app = await OpsApp.OpenAsync(Database, [echo]);
        var run = await app.Jobs.EnqueueAsync(echo.Call<string>(null, new JobBinding("word", echo.Call<string>(new { word = "a" }))));

        Assert.Contains("From the results of the runs before it in the graph: word.", await app.PageAsync($"/ops/jobs/runs/{run}"));
        Assert.Contains("\"fromResults\":[\"word\"]", await app.PageAsync($"/ops/jobs/api/runs/{run}"));
    }

    [Fact]
    public async Task Runs_of_another_app_are_not_shown()
    {
        var mine = TestJobs.Kind("mine", _ => Task.CompletedTask);
        await using var app = await OpsApp.OpenAsync(Database, [mine]);
        var run = await app.Jobs.EnqueueAsync(mine.Call());
        await app.CopyAsync();
        await using (var command = app.Db.CreateCommand("update keelback.queue set app = 'other'")) await command.ExecuteNonQueryAsync();

        var response = await app.Client.GetAsync($"/ops/jobs/runs/{run}");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("No run yet", await app.PageAsync("/ops/jobs/runs"));
        Assert.DoesNotContain("mine", await app.PageAsync("/ops/jobs"));
    }
}

file static class Services
{
    public static T GetService<T>(this IServiceProvider services) => (T)services.GetService(typeof(T))!;
}
