using System.Net;
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

        Assert.Equal(run, found.GetProperty("runs")[0].GetProperty("id").GetInt64());
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

    private static async Task<JsonElement> JsonAsync(OpsApp app, string path)
    {
        using var document = JsonDocument.Parse(await app.PageAsync(path));
        return document.RootElement.Clone();
    }
}
