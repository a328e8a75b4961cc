using System.Net;
using System.Text;
using System.Text.Json;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

public sealed class WorkersPageTests : OpsTest
{
    [Fact]
    public async Task The_page_tells_what_a_worker_runs_and_its_buttons_pause_scale_and_resume_it()
    {
        var (started, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = TestJobs.Kind("slow", async call =>
        {
            started.TrySetResult();
            await end.Task.WaitAsync(call.Cancellation);
        });
        await using var app = await OpsApp.OpenAsync(Database, [slow], worker: true);
        var run = await app.Jobs.EnqueueAsync(slow.Call());
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var workers = app.Services.GetRequiredService<JobWorkers>();
        var id = (await workers.ListAsync()).Single().Id;
        var form = await PageForm.OfAsync(app, "/ops/jobs/workers");
        Assert.Contains($"<a class=\"chip\" href=\"/ops/jobs/runs/{run}\">slow", form.Html);

        var paused = await form.PostAsync($"/ops/jobs/workers/{id}/pause");
        await UntilAsync(async () => (await workers.ListAsync()).Single().IsPaused);
        var page = await app.PageAsync("/ops/jobs/workers");
        await form.PostAsync($"/ops/jobs/workers/{id}/resume");
        await form.PostAsync($"/ops/jobs/workers/{id}/scale", ("concurrency", "3"));
        await UntilAsync(async () => (await workers.ListAsync()).Single() is { IsPaused: false, Concurrency: 3 });
        var text = await form.PostAsync($"/ops/jobs/workers/{id}/scale", ("concurrency", "many"));
        var most = await form.PostAsync($"/ops/jobs/workers/{id}/scale", ("concurrency", "1001"));
        end.SetResult();

        Assert.Equal(HttpStatusCode.SeeOther, paused.StatusCode);
        Assert.Contains("</svg>paused</span>", page);
        Assert.Contains($"/ops/jobs/workers/{id}/resume", page);
        foreach (var refused in new[] { text, most })
        {
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains("KB1717: A worker cannot run", await refused.Content.ReadAsStringAsync());
        }

        Assert.Equal($"worker {id} pause: asked to pause; worker {id} resume: asked to resume; worker {id} scale: asked for 3 at once", await app.ScalarAsync<string>(
            "select string_agg(target || ' ' || action || ': ' || outcome, '; ' order by id) from keelback.audit"));
    }

    [Fact]
    public async Task All_that_workers_hold_is_counted_however_much_it_is_and_each_shows_its_oldest()
    {
        var slow = TestJobs.Kind("slow", _ => Task.CompletedTask);
        await using var app = await OpsApp.OpenAsync(Database, [slow]);
        await app.Jobs.EnqueueAsync(slow.Call());
        await using (var command = app.Db.CreateCommand(
            """
            with two as (
                insert into keelback.worker (app, name, queues, started_at, lease_until, info)
                select 'test', name, '{}', keelback.clock(), keelback.clock() + interval '1 hour', '{"concurrency": 1200, "slots": 1200}' from unnest(array['old', 'young']) name
                returning id, epoch, name
            ), made as (
                insert into keelback.run (id, kind, queue, priority, max_attempts, input)
                select r.id + i, r.kind, r.queue, r.priority, 1, '{}' from keelback.run r, generate_series(1, 1103) i returning id
            )
            insert into keelback.claim (run_id, worker_id, epoch, attempt, crashes, at)
            select m.id, w.id, w.epoch, 1, 0, keelback.clock() - interval '1 s' * row_number() over (order by m.id desc)
            from (select id, row_number() over (order by id) as n from made) m join two w on w.name = case when m.n <= 1100 then 'old' else 'young' end
            """)) await command.ExecuteNonQueryAsync();

        var workers = JsonDocument.Parse(await app.PageAsync("/ops/jobs/api/workers")).RootElement.EnumerateArray().ToList();
        var page = await app.PageAsync("/ops/jobs/workers");

        Assert.Equal([("old", 1100, 997), ("young", 3, 3)], workers.Select(w => (w.GetProperty("name").GetString(), w.GetProperty("busy").GetInt32(), w.GetProperty("running").GetArrayLength())));
        Assert.Contains("<td class=\"n\">1100<small> / 1200</small></td>", page);
        Assert.Contains("<small>and 1092 more</small>", page);
        Assert.Contains("<b>1,103<small> / 2,400</small></b>slots busy", await app.PageAsync("/ops/jobs"));
    }

    [Fact]
    public async Task A_worker_is_stopped_and_one_that_is_not_there_is_told()
    {
        await using var app = await OpsApp.OpenAsync(Database, [], worker: true);
        var workers = app.Services.GetRequiredService<JobWorkers>();
        await UntilAsync(async () => (await workers.ListAsync()).Count == 1);
        var worker = (await workers.ListAsync()).Single();
        var form = await PageForm.OfAsync(app, "/ops/jobs/workers");

        var nobody = await form.PostAsync("/ops/jobs/workers/4711/stop");
        await form.PostAsync($"/ops/jobs/workers/{worker.Id}/stop");
        await UntilAsync(async () => (await workers.ListAsync()).Count == 0);

        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
        Assert.Contains($"KB1714: No worker '4711' is alive. Alive: worker {worker.Id} ({worker.Name}). 'all' asks every one.", WebUtility.HtmlDecode(await nobody.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_kind_is_revoked_and_allowed_again()
    {
        var mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask);
        await using var app = await OpsApp.OpenAsync(Database, [mail]);
        var revocations = app.Services.GetRequiredService<JobRevocations>();
        var form = await PageForm.OfAsync(app, "/ops/jobs/workers");

        var revoked = await form.PostAsync("/ops/jobs/revocations", ("what", "kind"), ("value", "mail.send"), ("lasting", "2h"), ("reason", "The <provider> is down"));
        var now = (await revocations.ListAsync()).Single();
        var page = await app.PageAsync("/ops/jobs/workers");
        var unknown = await form.PostAsync("/ops/jobs/revocations", ("what", "kind"), ("value", "mail.sent"));
        var toCome = await form.PostAsync("/ops/jobs/revocations", ("what", "kind"), ("value", "mail.to-come"), ("unknown", "true"));
        var neither = await form.PostAsync("/ops/jobs/revocations", ("what", "tgg"), ("value", "x"));
        var endless = await form.PostAsync("/ops/jobs/revocations", ("what", "tag"), ("value", "x"), ("lasting", "long"));
        var other = await form.PostAsync("/ops/jobs/revocations/allow", ("what", "kind"), ("value", "mail.sent"));
        foreach (var kind in new[] { "mail.send", "mail.to-come" }) await form.PostAsync("/ops/jobs/revocations/allow", ("what", "kind"), ("value", kind));

        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.SeeOther), (revoked.StatusCode, toCome.StatusCode));
        Assert.Equal(("mail.send", TimeSpan.FromHours(2), "The <provider> is down"), (now.Kind, TimeSpan.FromSeconds(Math.Round((now.Until! - now.At).Value.TotalSeconds)), now.Reason));
        Assert.Contains("The &lt;provider&gt; is down", page);
        await ShouldRefuse(unknown, "KB1704: There is no job kind 'mail.sent', neither in this program nor among its runs. Did you mean 'mail.send'?");
        await ShouldRefuse(neither, "KB1718: 'tgg' cannot be revoked. Did you mean 'tag'? A kind or a tag can; a single run is cancelled.");
        await ShouldRefuse(endless, "KB1720: 'long' is no length of time. Write it as 90s, 15m, 2h, 7d or 01:30:00.");
        await ShouldRefuse(other, "KB1719: The kind 'mail.sent' is not revoked. Did you mean 'mail.send'? These are: mail.send, mail.to-come.");
        Assert.Empty(await revocations.ListAsync());
        Assert.Equal(
            "revoke kind mail.send: revoked for 2 h 0 min; revoke kind mail.to-come: revoked; allow kind mail.send: allowed again; allow kind mail.to-come: allowed again", await app.ScalarAsync<string>(
            "select string_agg(action || ' ' || target || ': ' || outcome, '; ' order by id) from keelback.audit"));
    }

    [Fact]
    public async Task The_api_does_what_the_buttons_do()
    {
        var mail = TestJobs.Kind("mail.send", _ => throw new InvalidOperationException("No"), j => (j.MaxAttempts, j.Queue) = (1, "mail"));
        await using var app = await OpsApp.OpenAsync(Database, [mail], worker: true);
        var run = await app.Jobs.EnqueueAsync(mail.Call());
        await app.Jobs.WaitAsync(run);
        await using (var scope = app.Services.CreateAsyncScope())
            await scope.ServiceProvider.GetRequiredService<JobSchedules>().AddAsync("hourly", Trigger.Every(TimeSpan.FromHours(1), aligned: true), mail.Call());
        async Task<JsonElement> Post(string path, string body = "{}")
        {
            var response = await app.Client.PostAsync("/ops/jobs/api/" + path, new StringContent(body, Encoding.UTF8, "application/json"));
            var text = await response.Content.ReadAsStringAsync();
            return JsonDocument.Parse(text).RootElement;
        }

        Assert.Equal("paused", (await Post("queues/mail/pause")).GetProperty("outcome").GetString());
        Assert.Equal("open again", (await Post($"runs/{run}/retry")).GetProperty("outcome").GetString());
        Assert.Equal("5 at once", (await Post("queues/mail/slots", """{"slots": 5}""")).GetProperty("outcome").GetString());
        Assert.Equal("asked for 7 at once", (await Post("workers/all/scale", """{"concurrency": 7}""")).GetProperty("outcome").GetString());
        Assert.Equal("asked to pause", (await Post("workers/all/pause")).GetProperty("outcome").GetString());
        Assert.Equal("ticks every 00:05:00, aligned", (await Post("schedules/hourly/change", """{"when": "every 5m"}""")).GetProperty("outcome").GetString());
        Assert.Equal("urn:keelback:error:KB1255", (await Post("schedules/hourly/change", """{"when": "every 5m", "zone": "Mars/X"}""")).GetProperty("type").GetString());
        Assert.Equal("paused", (await Post("schedules/hourly/pause")).GetProperty("outcome").GetString());
        Assert.Equal("revoked", (await Post("revocations/tag/import%3A7/revoke", """{"reason": "Bad file"}""")).GetProperty("outcome").GetString());
        Assert.Equal("urn:keelback:error:KB1704", (await Post("revocations/kind/mail.to-come/revoke")).GetProperty("type").GetString());
        Assert.Equal("revoked", (await Post("revocations/kind/mail.to-come/revoke", """{"unknown": true}""")).GetProperty("outcome").GetString());
        Assert.Equal("urn:keelback:error:KB1717", (await Post("workers/all/scale", """{"concurrency": 1001}""")).GetProperty("type").GetString());
        Assert.Equal("urn:keelback:error:KB1716", (await Post("schedules/hourly/change", """{"when": ""}""")).GetProperty("type").GetString());
        var revoked = JsonDocument.Parse(await app.PageAsync("/ops/jobs/api/revocations")).RootElement.EnumerateArray().Single(r => r.TryGetProperty("tag", out var tag) && tag.ValueKind == JsonValueKind.String);
        Assert.Equal(("import:7", "Bad file"), (revoked.GetProperty("tag").GetString(), revoked.GetProperty("reason").GetString()));
        Assert.Equal("paused", JsonDocument.Parse(await app.PageAsync("/ops/jobs/api/schedules")).RootElement[0].GetProperty("state").GetString());
        Assert.Equal("every 00:05:00, aligned", JsonDocument.Parse(await app.PageAsync("/ops/jobs/api/schedules/hourly")).RootElement.GetProperty("schedule").GetProperty("when").GetString());
        Assert.Equal(11L, await app.ScalarAsync<long>("select count(*) from keelback.audit where via = 'api'"));
    }

    [Fact]
    public async Task A_revocation_of_a_thousand_years_is_refused_and_one_that_is_there_stops_neither_the_list_nor_allowing_it()
    {
        await using var app = await OpsApp.OpenAsync(Database);
        var revocations = app.Services.GetRequiredService<JobRevocations>();
        var form = await PageForm.OfAsync(app, "/ops/jobs/workers");

        var page = await form.PostAsync("/ops/jobs/revocations", ("what", "tag"), ("value", "x"), ("lasting", "9999999.00:00:00"));
        var api = await app.Client.PostAsync("/ops/jobs/api/revocations/tag/x/revoke", new StringContent("""{"lasting": "100000d"}""", Encoding.UTF8, "application/json"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => revocations.RevokeTagAsync("x", TimeSpan.FromDays(36_526)));
        await ShouldRefuse(page, "KB1727: Nothing can be revoked for as long as 9999999.00:00:00: 100 years (36525d) are the most. Give less, or no time at all to revoke it for good.");
        Assert.Contains("urn:keelback:error:KB1727", await api.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (page.StatusCode, api.StatusCode));

        await revocations.RevokeTagAsync("x", JobRevocations.Longest);
        await app.ScalarAsync<bool>("update keelback.revocation set until = '29405-01-01' returning true"); // as older code wrote it
        Assert.Contains("\"tag\":\"x\"", await app.PageAsync("/ops/jobs/api/revocations"));
        Assert.Contains("9999", await app.PageAsync("/ops/jobs/workers"));
        await form.PostAsync("/ops/jobs/revocations/allow", ("what", "tag"), ("value", "x"));

        Assert.Empty(await revocations.ListAsync());
    }

    private static async Task ShouldRefuse(HttpResponseMessage response, string message)
    {
        Assert.False(response.IsSuccessStatusCode);
        Assert.Contains(message, WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync()));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition()) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
    }
}
