using System.Net;
using System.Text.RegularExpressions;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

public sealed class SchedulesPageTests : OpsTest
{
    private static readonly JobKind s_digest = TestJobs.Kind("digest", _ => Task.CompletedTask);

    [Fact]
    public async Task Schedules_are_listed_with_their_ticks_to_come()
    {
        await using var app = await StartAsync();

        var html = await app.PageAsync("/ops/jobs/schedules");
        var one = await app.PageAsync("/ops/jobs/schedules/nightly%20digest");

        Assert.Contains("href=\"/ops/jobs/schedules/nightly%20digest\">nightly digest</a>", html);
        Assert.Contains("cron 30 2 * * * (Europe/Berlin)", html);
        Assert.Contains("</svg>active</span>", html);
        var next = (await Schedules(app).GetAsync("nightly digest"))!.TicksAfter(DateTimeOffset.UtcNow).Take(5).ToList();
        Assert.All(next, tick => Assert.Contains($"{tick:ddd yyyy-MM-dd} 02:30:00", one));
        Assert.Equal(5, Regex.Count(one, "<li><span><time"));
    }

    [Fact]
    public async Task Buttons_pause_resume_and_run_a_schedule_and_the_audit_tells_it()
    {
        await using var app = await StartAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs/schedules");

        await form.PostAsync("/ops/jobs/schedules/nightly%20digest/pause");
        var paused = await Schedules(app).GetAsync("nightly digest");
        var page = await app.PageAsync("/ops/jobs/schedules/nightly%20digest");
        await form.PostAsync("/ops/jobs/schedules/nightly%20digest/resume");
        var resumed = await Schedules(app).GetAsync("nightly digest");
        var run = await form.PostAsync("/ops/jobs/schedules/nightly%20digest/run");

        Assert.Equal((JobScheduleState.Paused, null), (paused!.State, paused.Next));
        Assert.Contains("None: it is paused.", page);
        Assert.Equal(JobScheduleState.Active, resumed!.State);
        var id = await app.ScalarAsync<long>("select id from keelback.run where kind = 'digest'");
        Assert.Equal($"/ops/jobs/runs/{id}", run.Headers.Location!.ToString());
        Assert.Contains($"<td>by hand</td>\n<td><a class=\"id\" href=\"/ops/jobs/runs/{id}\">", await app.PageAsync("/ops/jobs/schedules/nightly%20digest"));
        Assert.Equal($"pause: paused; resume: resumed; run now: enqueued run {id}", await app.ScalarAsync<string>(
            "select string_agg(action || ': ' || outcome, '; ' order by id) from keelback.audit where target = 'schedule nightly digest'"));
    }

    [Fact]
    public async Task A_trigger_is_changed_and_what_cannot_be_read_comes_back_with_the_reason()
    {
        await using var app = await StartAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs/schedules/nightly%20digest");
        Assert.Contains("name=\"when\" value=\"30 2 * * *\"", form.Html);

        var changed = await form.PostAsync("/ops/jobs/schedules/nightly%20digest/change", ("when", "15 4 * * MON"), ("zone", "America/New_York"));
        var every = await form.PostAsync("/ops/jobs/schedules/hourly/change", ("when", "every 10m"), ("zone", ""));
        var cron = await form.PostAsync("/ops/jobs/schedules/nightly%20digest/change", ("when", "61 * * * *"), ("zone", "UTC"));
        var zone = await form.PostAsync("/ops/jobs/schedules/nightly%20digest/change", ("when", "0 4 * * *"), ("zone", "Europe/Berlni"));
        var rate = await form.PostAsync("/ops/jobs/schedules/nightly%20digest/change", ("when", "every blue moon"), ("zone", "UTC"));

        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.SeeOther), (changed.StatusCode, every.StatusCode));
        Assert.Equal("cron 15 4 * * MON (America/New_York)", (await Schedules(app).GetAsync("nightly digest"))!.Trigger.ToString());
        Assert.Equal("every 00:10:00, aligned", (await Schedules(app).GetAsync("hourly"))!.Trigger.ToString());
        foreach (var (response, why, typed) in new[] { (cron, "KB1220: cron '61 * * * *'", "61 * * * *"), (zone, "Did you mean 'Europe/Berlin'?", "0 4 * * *"), (rate, "KB1716: 'every blue moon' does not say", "every blue moon") })
        {
            var html = WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync());
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains(why, html);
            Assert.Contains($"name=\"when\" value=\"{typed}\"", html);
        }

        Assert.Equal("cron 30 2 * * * (Europe/Berlin) -> cron 15 4 * * MON (America/New_York)", await app.ScalarAsync<string>(
            "select (before ->> 'when') || ' -> ' || (after ->> 'when') from keelback.audit order by id limit 1"));
    }

    [Fact]
    public async Task A_schedule_that_is_not_there_is_told_with_those_that_are()
    {
        await using var app = await StartAsync();
        var form = await PageForm.OfAsync(app, "/ops/jobs/schedules");

        var page = await app.Client.GetAsync("/ops/jobs/schedules/hourli");
        var post = await form.PostAsync("/ops/jobs/schedules/hourli/pause");
        var api = await app.Client.GetAsync("/ops/jobs/api/schedules/hourli");

        foreach (var response in new[] { page, post, api })
        {
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Contains("KB1715: There is no schedule 'hourli' in this app. Did you mean 'hourly'? It has hourly, nightly digest.",
                Regex.Unescape(WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync())));
        }

        Assert.Equal(0L, await app.ScalarAsync<long>("select count(*) from keelback.audit"));
    }

    private async Task<OpsApp> StartAsync()
    {
        var app = await OpsApp.OpenAsync(Database, [s_digest]);
        await Schedules(app).AddAsync("nightly digest", Trigger.Cron("30 2 * * *", "Europe/Berlin"), s_digest.Call());
        await Schedules(app).AddAsync("hourly", Trigger.Every(TimeSpan.FromHours(1), aligned: true), s_digest.Call());
        return app;
    }

    private static JobSchedules Schedules(OpsApp app) => app.Services.CreateScope().ServiceProvider.GetRequiredService<JobSchedules>();
}
