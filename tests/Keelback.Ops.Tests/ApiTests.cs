using System.Net;
using System.Text;
using System.Text.Json;
using Keelback.Jobs;
using Keelback.Jobs.Tests;

namespace Keelback.Ops.Tests;

public sealed class ApiTests : OpsTest
{
    private static readonly JobKind s_mail = TestJobs.Kind("mail.send", _ => Task.CompletedTask, j => j.Queue = "mail");

    [Fact]
    public async Task The_pages_content_comes_as_json()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var run = await app.Jobs.EnqueueAsync(s_mail.Call(new { to = "ada" }));
        await app.DrainAsync();
        await app.CopyAsync();

        var found = await JsonAsync(app, "/ops/jobs/api/runs?kind=mail.send&size=10");
        var one = await JsonAsync(app, $"/ops/jobs/api/runs/{run}");
        var overview = await JsonAsync(app, "/ops/jobs/api/overview");

        Assert.Equal(run.ToString(), found.GetProperty("runs")[0].GetProperty("id").GetString()); // no number: JavaScript would round it
        Assert.Equal("succeeded", found.GetProperty("runs")[0].GetProperty("state").GetString());
        Assert.Equal("ada", one.GetProperty("input").GetProperty("to").GetString());
        Assert.Equal(1, overview.GetProperty("totals").GetProperty("succeeded").GetInt64());
        Assert.Contains(overview.GetProperty("queues").EnumerateArray(), q => q.GetProperty("name").GetString() == "mail" && q.GetProperty("open").GetInt64() == 0);
    }

    [Fact]
    public async Task Mistakes_come_as_problems_all_at_once()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);

        var search = await app.Client.GetAsync("/ops/jobs/api/runs?state=runing&kin=x&size=1000");
        var missing = await app.Client.GetAsync("/ops/jobs/api/runs/1");

        Assert.Equal(HttpStatusCode.BadRequest, search.StatusCode);
        var text = await search.Content.ReadAsStringAsync();
        Assert.Contains("Did you mean 'running'?", text);
        Assert.Contains("Did you mean 'kind'?", text);
        Assert.Contains("A page has 1 to 200 runs.", text);
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (missing.StatusCode, missing.Content.Headers.ContentType!.MediaType));
    }

    [Theory]
    [InlineData("GET", "runs/abc", "KB1709: 'abc' is no run's id: it has digits alone, 19 at most.")]
    [InlineData("GET", "runs/12345678901234567890", "KB1709: '12345678901234567890' is no run's id")]
    [InlineData("POST", "runs/abc/retry", "KB1709: 'abc' is no run's id")]
    [InlineData("POST", "runs/abc/copy", "KB1709: 'abc' is no run's id")]
    [InlineData("GET", "bulk/x", "KB1722: 'x' is no bulk's number: it has digits alone, 19 at most.")]
    [InlineData("POST", "bulk/x/stop", "KB1722: 'x' is no bulk's number")]
    public async Task An_address_that_names_no_id_says_so(string method, string path, string message)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);

        var response = await app.Client.SendAsync(new(new(method), "/ops/jobs/api/" + path) { Content = method == "GET" ? null : new StringContent("{}", Encoding.UTF8, "application/json") });

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.StartsWith(message, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Ids_come_as_strings_since_javascript_would_round_them()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        var first = s_mail.Call();
        var run = await app.Jobs.EnqueueAsync(s_mail.Call().After(first));
        await app.CopyAsync();

        foreach (var path in new[] { $"runs/{run}", "runs", "overview", "audit", $"runs?before={run}" })
            Assert.DoesNotMatch(@":\s*\d{16,}", await app.PageAsync("/ops/jobs/api/" + path));
        Assert.Equal(run.ToString(), (await JsonAsync(app, $"/ops/jobs/api/runs/{run}")).GetProperty("graph").GetProperty("root").GetString());
        var copied = await app.Client.PostAsync($"/ops/jobs/api/runs/{run}/copy", new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.DoesNotMatch(@":\s*\d{16,}", await copied.Content.ReadAsStringAsync());
        Assert.DoesNotMatch(@":\s*\d{16,}", await app.PageAsync("/ops/jobs/api/audit"));
    }

    [Theory]
    [InlineData("GET", "overview?rang=24h", "", "There is no 'rang' here. Did you mean 'range'?")]
    [InlineData("GET", "overview?range=2h", "", "'2h' is no range.")]
    [InlineData("GET", "audit?before=x", "", "'x' is no id of an audit row.")]
    [InlineData("GET", "queues?name=mail", "", "There is no 'name' here.")]
    [InlineData("POST", "queues/mail/slots", """{"slot": 5}""", "\"pointer\":\"/slot\"")]
    [InlineData("POST", "queues/mail/slots", "{}", "\"pointer\":\"/slots\"")]
    [InlineData("POST", "queues/mail/slots", """{"slots": "5"}""", "\"pointer\":\"/slots\"")]
    [InlineData("POST", "queues/mail/slots?slots=5", """{"slots": 5}""", "There is no 'slots' here.")]
    [InlineData("POST", "queues/mail/pause", """{"until": "tomorrow"}""", "\"pointer\":\"/until\"")]
    [InlineData("POST", "revocations/tag/x/revoke", """{"lastin": "2h"}""", "\"pointer\":\"/lastin\"")]
    [InlineData("POST", "schedules/nightly/change", """{"when": "every 5m", "zon": "UTC"}""", "\"pointer\":\"/zon\"")]
    public async Task What_the_api_does_not_know_is_refused_by_its_name(string method, string path, string body, string message)
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        await app.Jobs.EnqueueAsync(s_mail.Call());

        using var request = new HttpRequestMessage(new(method), "/ops/jobs/api/" + path);
        if (body.Length > 0) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var response = await app.Client.SendAsync(request);

        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(message, text);
        Assert.Equal(0L, await app.ScalarAsync<long>("select count(*) from keelback.audit"));
    }

    [Fact]
    public async Task An_action_that_says_all_in_its_address_needs_no_body()
    {
        await using var app = await OpsApp.OpenAsync(Database, [s_mail]);
        await app.Jobs.EnqueueAsync(s_mail.Call());

        var paused = await app.Client.PostAsync("/ops/jobs/api/queues/mail/pause", new StringContent("", Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.OK, paused.StatusCode);
    }

    private static async Task<JsonElement> JsonAsync(OpsApp app, string path)
    {
        using var document = JsonDocument.Parse(await app.PageAsync(path));
        return document.RootElement.Clone();
    }
}
