using System.Net;
using System.Text;
using System.Text.Json;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

public sealed class ActionTests : OpsTest
{
    private static readonly JobKind s_echo = TestJobs.Kind<string>("echo", call => Task.FromResult(call.Get<string>("word")), j => (j.Queue, j.Priority, j.MaxAttempts) = ("mail", 2, 3));
    private static readonly Actor s_ada = new("ada", "page");

    [Fact]
    public async Task A_button_cancels_and_the_audit_tells_who_did_it()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var run = await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "hello" }));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}");

        var response = await form.PostAsync($"/ops/jobs/runs/{run}/cancel");

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Equal($"/ops/jobs/runs/{run}", response.Headers.Location!.ToString());
        Assert.Equal(JobRunState.Cancelled, (await app.Jobs.GetAsync(run))!.State);
        Assert.Equal($"ada page cancel run {run} cancelled ready", await app.ScalarAsync<string>(
            "select concat_ws(' ', who, via, action, target, outcome, before ->> 'state') from keelback.audit"));
        Assert.Contains($"run <a class=\"id\" href=\"/ops/jobs/runs/{run}\">", await app.PageAsync("/ops/jobs/audit"));
    }

    [Fact]
    public async Task What_cannot_be_done_is_told_and_stays_in_the_audit()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var run = await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "hello" }));
        await app.DrainAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs"); // the run's own page has no such button any more

        var response = await form.PostAsync($"/ops/jobs/runs/{run}/cancel");

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains($"KB1706: Run {run} is succeeded: it cannot be cancelled.", await response.Content.ReadAsStringAsync());
        Assert.Equal($"failed: KB1706: Run {run} is succeeded: it cannot be cancelled.", await app.ScalarAsync<string>("select outcome from keelback.audit"));
    }

    [Fact]
    public async Task Edited_arguments_make_a_new_run_in_the_same_queue()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var run = await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "helo" }));
        await app.DrainAsync();
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");
        Assert.Contains("&quot;word&quot;: &quot;helo&quot;", form.Html);

        var response = await form.PostAsync($"/ops/jobs/runs/{run}/edit", ("json", """{"word": "hello"}"""));
        var copy = long.Parse(response.Headers.Location!.ToString().Split('/')[^1]);
        await app.DrainAsync();

        Assert.NotEqual(run, copy);
        Assert.Equal("hello", (await app.Jobs.GetAsync(copy))!.Result<string>());
        Assert.Equal("mail 2 3", await app.ScalarAsync<string>(
            $"select concat_ws(' ', q.name, r.priority, r.max_attempts) from keelback.run r join keelback.queue q on q.id = r.queue where r.id = {copy}"));
    }

    [Theory]
    [InlineData("[1]", "KB1707: The arguments are not a JSON object: they are a JSON array.")]
    [InlineData("{\"word\": }", "KB1707: The arguments are not a JSON object: line 1, byte 10 does not read.")]
    [InlineData("{\"word\": \"\\u0000\"}", "KB1207: The arguments of")]
    public async Task Arguments_that_cannot_be_enqueued_come_back_with_the_reason(string json, string reason)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var run = await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "hello" }));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");

        var response = await form.PostAsync($"/ops/jobs/runs/{run}/edit", ("json", json));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var html = WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync());
        Assert.Contains(reason, html);
        Assert.Contains(json, html);
        Assert.Equal(1L, await app.ScalarAsync<long>("select count(*) from keelback.run"));
    }

    [Fact]
    public async Task A_form_of_another_site_or_without_its_token_does_nothing()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var run = await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "hello" }));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}");

        var withoutToken = await app.Client.PostAsync($"/ops/jobs/runs/{run}/cancel", new FormUrlEncodedContent([]));
        var crossSite = await form.PostAsync($"/ops/jobs/runs/{run}/cancel", headers: h => h.Add("Sec-Fetch-Site", "cross-site"));
        var otherOrigin = await form.PostAsync($"/ops/jobs/runs/{run}/cancel", headers: h => h.Add("Origin", "http://evil.example"));

        Assert.Equal([HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden], [withoutToken.StatusCode, crossSite.StatusCode, otherOrigin.StatusCode]);
        Assert.Equal(JobRunState.Ready, (await app.Jobs.GetAsync(run))!.State);
        Assert.Equal(HttpStatusCode.SeeOther, (await form.PostAsync($"/ops/jobs/runs/{run}/cancel", headers: h => h.Add("Sec-Fetch-Site", "same-origin"))).StatusCode);
    }

    [Fact]
    public async Task A_queue_is_paused_and_resumed_and_a_misspelt_one_is_told()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "hello" }));
        var form = await PageForm.OfAsync(app, "/ops/jobs");

        await form.PostAsync("/ops/jobs/queues/mail/pause");
        var paused = await app.ScalarAsync<bool>("select paused from keelback.queue where name = 'mail'");
        var misspelt = await form.PostAsync("/ops/jobs/queues/mial/pause");
        Assert.Contains("paused</span>", await app.PageAsync("/ops/jobs"));
        await form.PostAsync("/ops/jobs/queues/mail/resume");

        Assert.True(paused);
        Assert.Equal(HttpStatusCode.NotFound, misspelt.StatusCode);
        Assert.Contains("KB1703: There is no queue 'mial' in this app. Did you mean 'mail'?", WebUtility.HtmlDecode(await misspelt.Content.ReadAsStringAsync()));
        Assert.False(await app.ScalarAsync<bool>("select paused from keelback.queue where name = 'mail'"));
    }

    [Fact]
    public async Task A_failed_run_is_retried_and_one_that_has_succeeded_is_not()
    {
        var (healed, tries) = (false, 0);
        var sick = TestJobs.Kind("sick", _ => Interlocked.Increment(ref tries) > 0 && healed ? Task.CompletedTask : throw new InvalidOperationException("Not yet"), j => j.MaxAttempts = 1);
        await using var app = await OpsApp.OpenAsync(Database, [sick]);
        var run = await app.Jobs.EnqueueAsync(sick.Call());
        await app.DrainAsync();
        healed = true;
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}");

        var first = await form.PostAsync($"/ops/jobs/runs/{run}/retry");
        await app.DrainAsync();
        var second = await form.PostAsync($"/ops/jobs/runs/{run}/retry");

        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.Conflict), (first.StatusCode, second.StatusCode));
        Assert.Contains($"KB1706: Run {run} is succeeded: it cannot be retried.", await second.Content.ReadAsStringAsync());
        Assert.Equal((JobRunState.Succeeded, 2), ((await app.Jobs.GetAsync(run))!.State, tries));
        Assert.Equal("failed: open again", await app.ScalarAsync<string>("select (before ->> 'state') || ': ' || outcome from keelback.audit order by id limit 1"));
    }

    [Fact]
    public async Task A_bulk_retries_what_ended_without_success_and_leaves_the_rest()
    {
        var odd = TestJobs.Kind("odd", call => call.Get<int>("i") % 2 == 1 ? throw new InvalidOperationException("Odd") : Task.CompletedTask, j => j.MaxAttempts = 1);
        await using var app = await OpsApp.OpenAsync(Database, [odd]);
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 10).Select(i => odd.Call(new { i })));
        await app.DrainAsync();
        await app.CopyAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs/runs?kind=odd");
        Assert.Contains("value=\"retry\"", form.Html);

        await form.PostAsync("/ops/jobs/bulk?kind=odd", ("action", "retry"));
        var bulk = (BulkAgent)app.Services.GetService(typeof(BulkAgent))!;
        while (await bulk.PageAsync(default))
        {
        }

        Assert.Equal(5L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
        Assert.Equal("done: 5, left as they were: 5", await app.ScalarAsync<string>("select outcome from keelback.audit"));
    }

    [Fact]
    public async Task A_bulk_acts_on_all_that_the_search_finds_and_on_nothing_that_came_later()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var runs = await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 250).Select(i => s_echo.Call(new { word = "w" + i })));
        await app.CopyAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs/runs?queue=mail");

        var response = await form.PostAsync("/ops/jobs/bulk?queue=mail", ("action", "cancel"));
        var later = await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "later" }));
        await app.CopyAsync();
        var bulk = (BulkAgent)app.Services.GetService(typeof(BulkAgent))!;
        while (await bulk.PageAsync(default))
        {
        }

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Equal(250L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 3"));
        Assert.Equal(JobRunState.Ready, (await app.Jobs.GetAsync(later))!.State);
        Assert.Contains("250", await app.PageAsync(response.Headers.Location!.ToString()));
        Assert.Equal("done: 250, left as they were: 0", await app.ScalarAsync<string>("select outcome from keelback.audit"));
    }

    [Fact]
    public async Task A_bulk_that_keeps_failing_ends_with_its_error_and_holds_up_no_other()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        await app.Jobs.EnqueueManyAsync([s_echo.Call(new { word = "a" }), s_echo.Call(new { word = "b" })]);
        await app.CopyAsync();
        var bulks = app.Services.GetRequiredService<BulkActions>();
        var bad = await bulks.BeginAsync("cancel", new() { Queue = "mail" }, s_ada, default);
        await using (var command = app.Db.CreateCommand("update keelback.bulk set filter = '{\"state\": \"gone\"}'")) await command.ExecuteNonQueryAsync();
        var good = await bulks.BeginAsync("cancel", new() { Kind = s_echo.Name }, s_ada, default);

        var (agent, failures) = (app.Services.GetRequiredService<BulkAgent>(), 0);
        for (var more = true; more && failures < 20;)
        {
            try
            {
                more = await agent.PageAsync(default);
            }
            catch (JsonException)
            {
                failures++;
            }
        }

        Assert.Equal(5, failures);
        Assert.Equal("done", (await bulks.FindAsync(good, default))!.Outcome);
        Assert.StartsWith("failed: The JSON value could not be converted", await app.ScalarAsync<string>($"select outcome from keelback.bulk where id = {bad}"));
        Assert.StartsWith("done: 0, left as they were: 0; failed: The JSON", await app.ScalarAsync<string>($"select outcome from keelback.audit where target = 'bulk {bad}'"));
    }

    [Fact]
    public async Task A_bulk_that_is_stopped_leaves_what_it_has_not_come_to()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 250).Select(i => s_echo.Call(new { word = "w" + i })));
        await app.CopyAsync();
        var (bulks, agent) = (app.Services.GetRequiredService<BulkActions>(), app.Services.GetRequiredService<BulkAgent>());
        var bulk = await bulks.BeginAsync("cancel", new() { Queue = "mail" }, s_ada, default);
        await agent.PageAsync(default);

        var stopped = await bulks.StopAsync(bulk, s_ada, default);
        var more = await agent.PageAsync(default);
        var again = await bulks.StopAsync(bulk, s_ada, default);

        Assert.Equal((true, false, false), (stopped!.Done, more, again!.Done));
        Assert.Equal(100L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 3"));
        Assert.Equal("cancel all done: 100, left as they were: 0; stopped|stop stopped|stop had ended already", await app.ScalarAsync<string>(
            "select string_agg(action || ' ' || outcome, '|' order by id) from keelback.audit"));
        Assert.Null(await bulks.StopAsync(bulk + 1, s_ada, default));
    }

    [Fact]
    public async Task The_api_acts_for_json_only_and_says_no_as_a_problem()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var run = await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "hello" }));
        static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

        var asForm = await app.Client.PostAsync($"/ops/jobs/api/runs/{run}/cancel", new FormUrlEncodedContent([]));
        var copied = await app.Client.PostAsync($"/ops/jobs/api/runs/{run}/copy", Json("""{"word": "again"}"""));
        var cancelled = await app.Client.PostAsync($"/ops/jobs/api/runs/{run}/cancel", Json("{}"));
        var twice = await app.Client.PostAsync($"/ops/jobs/api/runs/{run}/cancel", Json("{}"));

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, asForm.StatusCode);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Conflict), (copied.StatusCode, cancelled.StatusCode, twice.StatusCode));
        Assert.Equal("application/problem+json", twice.Content.Headers.ContentType!.MediaType);
        Assert.Contains("urn:keelback:error:KB1706", await twice.Content.ReadAsStringAsync());
        Assert.Equal("api", await app.ScalarAsync<string>("select distinct via from keelback.audit"));
    }
}
