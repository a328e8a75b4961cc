using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
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

    [Fact]
    public async Task A_secret_that_is_left_as_it_is_shown_goes_on_sealed_and_a_new_one_takes_its_place()
    {
        var login = TestJobs.Kind("login", call => Task.FromResult(call.Get<string>("user") + ":" + call.Get<string>("password"))).Secret("password");
        await using var app = await OpsApp.OpenAsync(Database, [login]);
        var run = await app.Jobs.EnqueueAsync(login.Call(new { user = "ada", password = "hunter2" }));
        var form = await PageForm.OfAsync(app, $"/ops/jobs/runs/{run}/edit");
        Assert.Contains("&quot;password&quot;: &quot;(secret)&quot;", form.Html);
        Assert.DoesNotContain("$secret", form.Html);

        var left = await form.PostAsync($"/ops/jobs/runs/{run}/edit", ("json", """{"user": "bob", "password": "(secret)"}"""));
        var changed = await form.PostAsync($"/ops/jobs/runs/{run}/edit", ("json", """{"user": "bob", "password": "new-word"}"""));
        var stored = await app.ScalarAsync<string>($"select input::text from keelback.run where id = {run}");
        var original = await PostAsync(app, $"runs/{run}/copy", stored);
        await app.DrainAsync();

        Assert.Equal("bob:hunter2", (await app.Jobs.GetAsync(IdOf(left)))!.Result<string>());
        Assert.Equal("bob:new-word", (await app.Jobs.GetAsync(IdOf(changed)))!.Result<string>());
        Assert.Equal(HttpStatusCode.OK, original.StatusCode);
        Assert.Equal(4L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 1 and input::text like '%$secret%' and input::text not like '%new-word%'"));
    }

    [Fact]
    public async Task A_secret_of_a_kind_that_this_process_lacks_is_sealed_too()
    {
        var login = TestJobs.Kind("login", call => Task.FromResult(call.Get<string>("password"))).Secret("password");
        await using var worker = await OpsApp.OpenAsync(Database, [login]);
        await using var app = await OpsApp.OpenAsync(Database);
        var run = await worker.Jobs.EnqueueAsync(login.Call(new { password = "hunter2" }));

        await PostAsync(app, $"runs/{run}/copy", """{"password": "(secret)"}""");
        await PostAsync(app, $"runs/{run}/copy", """{"password": "new-word"}""");
        await worker.DrainAsync();

        Assert.Equal("\"hunter2\" \"hunter2\" \"new-word\"", await worker.ScalarAsync<string>("select string_agg(output::text, ' ' order by id) from keelback.run"));
        Assert.Equal(0L, await worker.ScalarAsync<long>("select count(*) from keelback.run where input::text like '%new-word%'"));
    }

    private sealed record Card(string Holder, [property: Secret] string Number);

    private sealed record Wallet(List<Card> Cards);

    [Fact]
    public async Task Secret_members_are_hidden_wherever_they_are_shown_and_kept_where_they_stay()
    {
        var pay = TestJobs.Kind("pay", async call =>
        {
            var cards = call.Get<Wallet>("wallet").Cards;
            await call.Services.GetRequiredService<JobContext>().ReportAsync(cards[0]);
            return new Wallet([.. cards.Select(card => card with { Holder = card.Number[..2] })]);
        });
        await using var app = await OpsApp.OpenAsync(Database, [pay]);
        await using var other = await OpsApp.OpenAsync(Database); // knows no kinds
        var run = await app.Jobs.EnqueueAsync(pay.Call(new { wallet = new Wallet([new("ada", "4111-111"), new("bob", "4222-222")]) }));
        await app.DrainAsync();

        var shown = await app.PageAsync($"/ops/jobs/runs/{run}");
        var form = await PageForm.OfAsync(other, $"/ops/jobs/runs/{run}/edit");
        var left = await form.PostAsync($"/ops/jobs/runs/{run}/edit", ("json", """{"wallet": {"cards": [{"holder": "eve", "number": "(secret)"}, {"holder": "x", "number": "5333-333"}, {"holder": "y", "number": "6444-444"}]}}"""));
        var wrong = await PostAsync(other, $"runs/{run}/copy", """{"wallet": {"cards": [{}, {}, {"holder": "y", "number": "(secret)"}]}}""");
        await app.DrainAsync();

        foreach (var page in new[] { shown, form.Html, await app.Client.GetStringAsync($"/ops/jobs/api/runs/{run}") })
        {
            Assert.Contains("(secret)", page);
            Assert.DoesNotContain("111", Regex.Replace(page, "[0-9]{9,}", ""));
            Assert.DoesNotContain("$secret", page);
        }

        Assert.Equal(["41:4111-111", "53:5333-333", "64:6444-444"], (await app.Jobs.GetAsync(IdOf(left)))!.Result<Wallet>()!.Cards.Select(card => $"{card.Holder}:{card.Number}"));
        Assert.Contains("KB1732: '(secret)' stands at 'wallet.cards[].number', and the old run has no secret there that could stay.", JsonDocument.Parse(await wrong.Content.ReadAsStringAsync()).RootElement.GetRawText().Replace("\\u0027", "'"));
        Assert.Equal(0L, await app.ScalarAsync<long>("select count(*) from keelback.run where input::text || output::text ~ '5333|6444|4111'"));
    }

    [Fact]
    public async Task A_copy_keeps_what_the_old_call_said_and_leaves_to_the_kind_what_comes_from_the_arguments()
    {
        var charge = TestJobs.Kind("charge", _ => Task.CompletedTask, j => j.Tenant = "{shop}").With(new LimitAttribute("shop:{shop}") { Slots = 1 });
        await using var app = await OpsApp.OpenAsync(Database, [charge]);
        await ((JobLimits)app.Services.GetService(typeof(JobLimits))!).SetAsync("stripe", new(Slots: 1));
        var run = await app.Jobs.EnqueueAsync(charge.Call(new { shop = "a" }), new()
        {
            Queue = "money",
            Priority = 1,
            MaxAttempts = 7,
            Timeout = TimeSpan.FromSeconds(30),
            ExpiresAfter = TimeSpan.FromHours(1),
            KeepResult = false,
            Limits = ["stripe:eu"],
            Tags = ["order:1"],
            Delay = TimeSpan.FromDays(1),
        });
        var kept = await app.Jobs.EnqueueAsync(charge.Call(new { shop = "a" }), new() { ResultKept = TimeSpan.FromMinutes(5), Tenant = "boss" });

        await PostAsync(app, $"runs/{run}/copy", """{"shop": "b"}""");
        await PostAsync(app, $"runs/{kept}/copy", """{"shop": "b"}""");

        var copies = $"from keelback.run r join keelback.queue q on q.id = r.queue where r.id not in ({run}, {kept})";
        Assert.Equal(
            "money 1 7 30000 01:00:00 0 shop:b,stripe:eu b; default 4 4 300000 shop:b boss",
            await app.ScalarAsync<string>(
                $"""
                select string_agg(concat_ws(' ', q.name, r.priority, r.max_attempts, r.timeout_ms,
                    date_trunc('minute', r.expires_at - keelback.run_enqueued_at(r.id) + interval '1 s'), r.result_ms, array_to_string(r.limits, ','), r.tenant), '; ' order by r.id) {copies}
                """));
        Assert.Equal(2L, await app.ScalarAsync<long>("select count(*) from keelback.tag where tag = 'order:1'"));
    }

    [Theory]
    [InlineData("{\"word\": 1, \"word\": 2}", "KB1707: The arguments are not a JSON object: the member 'word' stands twice in one object.")]
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
        Assert.Contains("<h1>Not done</h1>", await withoutToken.Content.ReadAsStringAsync());
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
        Assert.Contains("href=\"/ops/jobs/bulk?kind=odd&amp;action=retry\"", await app.PageAsync("/ops/jobs/runs?kind=odd"));
        var form = await PageForm.OfAsync(app, "/ops/jobs/bulk?kind=odd&action=retry");
        Assert.Contains("<b>10 runs</b>, <b>5</b> in a state in which there is something to retry", form.Html);
        Assert.Contains("<dt>Kind</dt><dd>odd</dd>", form.Html);
        Assert.Equal(0L, await app.ScalarAsync<long>("select count(*) from keelback.bulk"));

        await form.PostAsync("/ops/jobs/bulk?kind=odd", ("action", "retry"));
        var bulk = (BulkAgent)app.Services.GetService(typeof(BulkAgent))!;
        while (await bulk.PageAsync(default))
        {
        }

        Assert.Equal(5L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
        Assert.Equal("done: 5, left as they were: 5", await app.ScalarAsync<string>("select outcome from keelback.audit where target = 'bulk 1'"));
        var member = await app.ScalarAsync<long>("select id from keelback.run where state = 0 limit 1");
        Assert.Contains("<td>retry</td><td>run", await app.PageAsync($"/ops/jobs/runs/{member}"));
        Assert.DoesNotContain($"/ops/jobs/runs/{member}", await app.PageAsync("/ops/jobs/audit")); // the bulk's own row says it
        Assert.Contains("bulk <a class=\"id\" href=\"/ops/jobs/bulk/1\">1</a>", await app.PageAsync("/ops/jobs/audit"));
    }

    [Fact]
    public async Task A_bulk_acts_on_all_that_the_search_finds_and_on_nothing_that_came_later()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var runs = await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 250).Select(i => s_echo.Call(new { word = "w" + i })));
        await app.CopyAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs/bulk?queue=mail&action=cancel");

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
        Assert.Equal("done: 250, left as they were: 0", await app.ScalarAsync<string>("select outcome from keelback.audit where target = 'bulk 1'"));
    }

    [Theory]
    [InlineData("/ops/jobs/bulk?kind=echo&action=explode", HttpStatusCode.BadRequest, "KB1711: 'explode' is nothing that can be done")]
    [InlineData("/ops/jobs/bulk?action=retry", HttpStatusCode.BadRequest, "KB1712: The search names nothing")]
    [InlineData("/ops/jobs/bulk?kin=echo&action=retry", HttpStatusCode.BadRequest, "There is no 'kin' here. Did you mean 'kind'?")]
    public async Task A_bulk_that_cannot_be_is_told_on_a_page_before_anybody_confirms_it(string path, HttpStatusCode status, string message)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);

        var response = await app.Client.GetAsync(path);

        Assert.Equal((status, "text/html"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Contains(message, WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("text=*", "'*' holds no letter or digit, so there is no word to search for.")]
    [InlineData("kind=echo&text=%25", "'%' holds no letter or digit, so there is no word to search for.")]
    [InlineData("text=%F0%9F%98%80...", "'😀...' holds no letter or digit, so there is no word to search for.")]
    [InlineData("text=a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+echo", "has 21 words, and a search takes 20. Leave out those that other runs hold too.")]
    [InlineData("kind=ehco", "There is no job kind 'ehco', neither in this program nor among its runs. Did you mean 'echo'?")]
    [InlineData("kind=%00&state=ready", "holds a NUL character, which no run does.")]
    [InlineData("queue=mial&state=ready", "There is no queue 'mial' in this app.")]
    [InlineData("kind=echo&from=01/02/2026", "'01/02/2026' is no point in time. Write it as 2026-01-31T23:59:59Z.")]
    [InlineData("kind=echo&to=Jan+5", "'Jan 5' is no point in time.")]
    [InlineData("kind=echo&from=10:00", "'10:00' is no point in time.")]
    public async Task A_search_that_cannot_be_made_is_told_and_nothing_is_done_to_any_run(string query, string message)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        await app.Jobs.EnqueueManyAsync(Enumerable.Range(0, 3).Select(i => s_echo.Call(new { word = "w" + i })));
        await app.CopyAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs/bulk?queue=mail&action=cancel");

        foreach (var response in new[]
        {
            await app.Client.GetAsync($"/ops/jobs/runs?{query}"), await app.Client.GetAsync($"/ops/jobs/bulk?{query}&action=cancel"),
            await form.PostAsync($"/ops/jobs/bulk?{query}", ("action", "cancel")),
            await app.Client.GetAsync($"/ops/jobs/api/runs?{query}"), await PostAsync(app, $"bulk?{query}", """{"action": "cancel"}"""),
        })
        {
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            var text = await response.Content.ReadAsStringAsync();
            Assert.Contains(message, text.StartsWith('{') ? Regex.Unescape(text) : WebUtility.HtmlDecode(text));
        }

        Assert.Equal("3 0", await app.ScalarAsync<string>("select concat_ws(' ', (select count(*) from keelback.run where state = 0), (select count(*) from keelback.bulk))"));
    }

    [Fact]
    public async Task A_bulk_that_an_older_version_began_over_a_text_without_a_word_does_nothing()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        await app.Jobs.EnqueueAsync(s_echo.Call(new { word = "a" }));
        await app.CopyAsync();
        await app.Services.GetRequiredService<BulkActions>().BeginAsync("cancel", new() { Text = "a" }, s_ada, default);
        await app.ScalarAsync<bool>("update keelback.bulk set filter = '{\"text\": \"*\"}' returning true");

        var error = await Assert.ThrowsAsync<KeelbackException>(() => app.Services.GetRequiredService<BulkAgent>().PageAsync(default));

        Assert.Equal("KB1723", error.Code);
        Assert.Equal(1L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 0"));
    }

    [Fact]
    public async Task The_api_begins_a_bulk_and_tells_how_far_it_is()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        await app.Jobs.EnqueueManyAsync([s_echo.Call(new { word = "a" }), s_echo.Call(new { word = "b" })]);
        await app.CopyAsync();

        var begun = await PostAsync(app, "bulk?kind=echo&state=ready", """{"action": "cancel"}""");
        var misspelt = await PostAsync(app, "bulk?knd=echo", """{"action": "cancel"}""");
        while (await ((BulkAgent)app.Services.GetService(typeof(BulkAgent))!).PageAsync(default))
        {
        }

        Assert.Contains("\"id\":\"1\",\"action\":\"cancel\"", await begun.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, misspelt.StatusCode);
        Assert.Contains("\"done\":2,\"refused\":0", await app.PageAsync("/ops/jobs/api/bulk/1"));
        Assert.Equal("api", await app.ScalarAsync<string>("select via from keelback.audit where target = 'bulk 1'"));
    }

    [Fact]
    public async Task What_was_done_to_a_graph_stands_on_the_page_of_each_of_its_runs()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_echo]);
        var first = s_echo.Call<string>(new { word = "a" });
        var last = await app.Jobs.EnqueueAsync(s_echo.Call<string>(null, new JobBinding("word", first)));
        var up = await app.ScalarAsync<long>($"select ups[1] from keelback.run where id = {last}");

        await PostAsync(app, $"runs/{up}/cancel-graph", "{}");

        foreach (var run in new[] { up, last }) Assert.Contains($"<td>cancel graph</td><td>graph <a class=\"id\" href=\"/ops/jobs/runs/{last}\">{last}</a></td>", await app.PageAsync($"/ops/jobs/runs/{run}"));
    }

    private static async Task<HttpResponseMessage> PostAsync(OpsApp app, string path, string json) =>
        await app.Client.PostAsync("/ops/jobs/api/" + path, new StringContent(json, Encoding.UTF8, "application/json"));

    private static long IdOf(HttpResponseMessage seeOther) => long.Parse(seeOther.Headers.Location!.ToString().Split('/')[^1]);

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
        Assert.Equal("done", (await bulks.LookAsync(good, default)).Outcome);
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

        var form = await PageForm.OfAsync(app, $"/ops/jobs/bulk/{bulk}");
        var stopped = await form.PostAsync($"/ops/jobs/bulk/{bulk}/stop");
        var more = await agent.PageAsync(default);
        var again = await bulks.StopAsync(bulk, s_ada, default);

        Assert.Equal((HttpStatusCode.SeeOther, false, false), (stopped.StatusCode, more, again.Done));
        Assert.Contains("<p>stopped</p>", await app.PageAsync($"/ops/jobs/bulk/{bulk}"));
        Assert.Equal(100L, await app.ScalarAsync<long>("select count(*) from keelback.run where state = 3"));
        Assert.Equal("cancel all done: 100, left as they were: 0; stopped|stop stopped|stop had ended already", await app.ScalarAsync<string>(
            "select string_agg(action || ' ' || outcome, '|' order by id) from keelback.audit where via <> 'bulk'"));
        Assert.Equal("KB1721", (await Assert.ThrowsAsync<KeelbackException>(() => bulks.StopAsync(bulk + 1, s_ada, default))).Code);
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
