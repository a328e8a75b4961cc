using System.Net;
using System.Text;
using System.Text.Json;
using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

public sealed class LimitsPageTests : OpsTest
{
    [Fact]
    public async Task The_page_tells_numbers_keys_and_time_limits_and_its_forms_set_and_reset()
    {
        var (started, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        var pay = TestJobs.Kind("pay", async call =>
        {
            started.TrySetResult();
            await end.Task.WaitAsync(call.Cancellation);
        }, j => (j.Timeout, j.ExpiresAfter) = ("00:05:00", "01:00:00")).With(new LimitAttribute("shop:{shop}") { Slots = 1 });
        await using var app = await OpsApp.OpenAsync(Database, [pay], worker: true);
        for (var i = 0; i < 3; i++) await app.Jobs.EnqueueAsync(pay.Call(new { shop = "<a>" }));
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await UntilAsync(async () => await app.ScalarAsync<long>("select count(*) from keelback.parked") == 2);
        var limits = app.Services.GetRequiredService<JobLimits>();

        var form = await PageForm.OfAsync(app, "/ops/jobs/limits");
        var set = await form.PostAsync("/ops/jobs/limits/shop", ("slots", " 2 "), ("perSecond", ""), ("perMinute", "60"), ("perHour", ""), ("perDay", ""));
        var after = (await limits.GetAsync("shop"))!;
        var changed = await app.PageAsync("/ops/jobs/limits");
        var reset = await form.PostAsync("/ops/jobs/limits/shop/reset");
        var back = (await limits.GetAsync("shop"))!;
        var word = await form.PostAsync("/ops/jobs/limits/shop", ("slots", "two"));
        var empty = await form.PostAsync("/ops/jobs/limits/shop", ("slots", ""));
        var other = await form.PostAsync("/ops/jobs/limits/shp/reset");
        end.SetResult();

        Assert.Contains("<a href=\"/ops/jobs/limits\" aria-current=\"page\">Limits</a>", form.Html);
        Assert.Contains("<p>1 at once <span class=\"soft\">· as the code has it</span></p>", form.Html);
        Assert.Contains("<td class=\"clip\">shop:&lt;a&gt;</td><td class=\"n\">1<small> / 1</small></td>", form.Html);
        Assert.Contains("<td class=\"n\">2</td><td>when one ends</td>", form.Html);
        Assert.Contains(">pay</a></td><td class=\"n\">5 min 0 s</td><td class=\"n\">1 h 0 min</td>", form.Html);
        Assert.DoesNotContain("/limits/shop/reset", form.Html);
        Assert.Equal((HttpStatusCode.SeeOther, "/ops/jobs/limits"), (set.StatusCode, set.Headers.Location!.ToString()));
        Assert.Equal(new JobLimit(Slots: 2, PerMinute: 60), after.Numbers);
        Assert.Contains("2 at once, 60 per minute <span class=\"soft\">· set at run time ", changed);
        Assert.Contains("; the code says 1 at once", changed);
        Assert.Contains("/limits/shop/reset", changed);
        Assert.Equal((HttpStatusCode.SeeOther, new JobLimit(Slots: 1), null), (reset.StatusCode, back.Numbers, back.SetAt));
        await ShouldRefuse(word, HttpStatusCode.BadRequest, "KB1731: 'two' is no number for a limit. Give 1 or more; to take the number away, ");
        await ShouldRefuse(empty, HttpStatusCode.BadRequest, "KB1227: The limit 'shop' cannot be so: it has no number: give it Slots, PerSecond, PerMinute, PerHour or PerDay.");
        await ShouldRefuse(other, HttpStatusCode.NotFound, "KB1730: There is no limit 'shp' in this app. Did you mean 'shop'? It has shop.");
        Assert.Equal("set limit shop: 2 at once, 60 per minute; reset limit shop: 1 at once, as the code has it", await app.ScalarAsync<string>(
            "select string_agg(action || ' ' || target || ': ' || outcome, '; ' order by id) from keelback.audit where via = 'page' and who = 'ada'"));
        Assert.Equal("1 -> 2", await app.ScalarAsync<string>("select (before ->> 'slots') || ' -> ' || (after ->> 'slots') from keelback.audit where action = 'set'"));
    }

    [Fact]
    public async Task The_api_does_the_same_and_leaves_the_numbers_that_it_is_not_given()
    {
        var pay = TestJobs.Kind("pay", _ => Task.CompletedTask).With(new LimitAttribute("stripe") { Slots = 5, PerSecond = 10 }, new LimitAttribute("bare:{shop}"));
        await using var app = await OpsApp.OpenAsync(Database, [pay]);
        var limits = app.Services.GetRequiredService<JobLimits>();

        var bare = await PostAsync(app, "limits/bare", """{"slots": 1}"""); // the code names it, and gives it no numbers
        await app.Jobs.EnqueueAsync(pay.Call(new { shop = 7 }));
        var set = await PostAsync(app, "limits/stripe", """{"slots": 3, "perDay": 1000}""");
        var taken = await PostAsync(app, "limits/stripe", """{"perSecond": null}""");
        var nothing = await PostAsync(app, "limits/stripe", "{}");
        var one = await JsonAsync(app, "limits/stripe");
        var all = await JsonAsync(app, "limits");
        var unknown = await PostAsync(app, "limits/tenant", """{"slots": 1}""");
        var toCome = await PostAsync(app, "limits/tenant", """{"slots": 1, "unknown": true}""");
        var zero = await PostAsync(app, "limits/stripe", """{"slots": 0}""");
        var stranger = await PostAsync(app, "limits/stripe", """{"slot": 1}""");
        var reset = await PostAsync(app, "limits/stripe/reset", "{}");
        var missing = await app.Client.GetAsync("/ops/jobs/api/limits/strpe");

        Assert.Equal("1 at once", bare.GetProperty("outcome").GetString());
        Assert.Equal("3 at once, 10 per second, 1,000 per day", set.GetProperty("outcome").GetString());
        Assert.Equal("3 at once, 1,000 per day", taken.GetProperty("outcome").GetString());
        Assert.Equal((false, "was 3 at once, 1,000 per day already"), (nothing.GetProperty("done").GetBoolean(), nothing.GetProperty("outcome").GetString()));
        Assert.Equal((3, 1000, JsonValueKind.Null), (one.GetProperty("numbers").GetProperty("slots").GetInt32(),
            one.GetProperty("numbers").GetProperty("perDay").GetInt32(), one.GetProperty("numbers").GetProperty("perSecond").ValueKind));
        Assert.Equal((5, JsonValueKind.String), (one.GetProperty("inCode").GetProperty("slots").GetInt32(), one.GetProperty("setAt").ValueKind));
        Assert.Equal(["bare", "stripe"], all.EnumerateArray().Select(l => l.GetProperty("name").GetString()!));
        Assert.StartsWith("There is no limit 'tenant' in this app. It has bare, stripe. To give numbers to one that is still to come", Detail(unknown, "KB1730"));
        Assert.Equal("1 at once", toCome.GetProperty("outcome").GetString());
        Assert.StartsWith("'0' is no number for a limit.", Detail(zero, "KB1731"));
        Assert.Contains("Did you mean 'slots'?", stranger.GetRawText());
        Assert.Equal("5 at once, 10 per second, as the code has it", reset.GetProperty("outcome").GetString());
        Assert.Equal(new JobLimit(Slots: 5, PerSecond: 10), (await limits.GetAsync("stripe"))!.Numbers);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal(6L, await app.ScalarAsync<long>("select count(*) from keelback.audit where via = 'api'"));
    }

    [Fact]
    public async Task Of_many_keys_the_busiest_twenty_are_shown_and_that_there_are_more()
    {
        await using var app = await OpsApp.OpenAsync(Database);
        var limits = app.Services.GetRequiredService<JobLimits>();
        await limits.SetAsync("shop", new(Slots: 1));
        await limits.SetAsync("other", new(PerHour: 1));
        await WaitUnderAsync(app, 1, 30);
        await app.ScalarAsync<long>("with o as (insert into keelback.bucket (app, key) values ('test', 'other'), ('test', 'shop:idle') returning 1) select count(*) from o");
        await app.ScalarAsync<long>("""
            with p as (insert into keelback.parked (bucket, priority, seq, run_id, attempt, crashes, queue)
            select (select id from keelback.bucket where key = 'shop:17'), 4, 100000 + i, 100000 + i, 1, 0, 1 from generate_series(1, 1500) i returning 1) select count(*) from p
            """);

        var few = await JsonAsync(app, "limits/shop");
        var page = await app.PageAsync("/ops/jobs/limits");
        await WaitUnderAsync(app, 31, 1100);
        var many = await JsonAsync(app, "limits/shop");
        var other = await JsonAsync(app, "limits/other");

        Assert.Equal((20, 10, false), (few.GetProperty("keys").GetArrayLength(), few.GetProperty("otherKeys").GetInt32(), few.GetProperty("otherKeysAreMore").GetBoolean()));
        var first = few.GetProperty("keys")[0];
        Assert.Equal(("shop:17", 1000, true), (first.GetProperty("key").GetString(), first.GetProperty("waiting").GetInt32(), first.GetProperty("waitingIsMore").GetBoolean()));
        Assert.Contains("<td class=\"clip\">shop:17</td>", page);
        Assert.Contains("<td class=\"n\">1,000&#x2B;</td>", page);
        Assert.Contains("<p class=\"soft\">10 more are in use.</p>", page);
        Assert.DoesNotContain("shop:idle", page);
        Assert.Equal((20, 980, true), (many.GetProperty("keys").GetArrayLength(), many.GetProperty("otherKeys").GetInt32(), many.GetProperty("otherKeysAreMore").GetBoolean()));
        var bare = other.GetProperty("keys")[0]; // a limit without keys of its own is always shown
        Assert.Equal(("other", 0, 1), (bare.GetProperty("key").GetString(), bare.GetProperty("waiting").GetInt32(), bare.GetProperty("mayStart").GetInt32()));
    }

    /// <summary>A run waits under each of so many keys of the limit shop.</summary>
    private static Task<long> WaitUnderAsync(OpsApp app, int from, int to) => app.ScalarAsync<long>($"""
        with b as (insert into keelback.bucket (app, key) select 'test', 'shop:' || i from generate_series({from}, {to}) i returning id, key),
        p as (insert into keelback.parked (bucket, priority, seq, run_id, attempt, crashes, queue) select id, 4, id, id, 1, 0, 1 from b returning 1)
        select count(*) from p
        """);

    private static async Task<JsonElement> PostAsync(OpsApp app, string path, string body)
    {
        var response = await app.Client.PostAsync("/ops/jobs/api/" + path, new StringContent(body, Encoding.UTF8, "application/json"));
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }

    private static async Task<JsonElement> JsonAsync(OpsApp app, string path) => JsonDocument.Parse(await app.PageAsync("/ops/jobs/api/" + path)).RootElement;

    private static string Detail(JsonElement problem, string code)
    {
        Assert.Equal($"urn:keelback:error:{code}", problem.GetProperty("type").GetString());
        return problem.GetProperty("detail").GetString()!.Replace($"{code}: ", "");
    }

    private static async Task ShouldRefuse(HttpResponseMessage response, HttpStatusCode status, string message)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Contains(message, WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync()));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition()) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
    }
}
