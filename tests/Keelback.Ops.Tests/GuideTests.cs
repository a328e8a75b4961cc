using System.Net;
using System.Text.RegularExpressions;
using Keelback.Jobs.Tests;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Ops.Tests;

/// <summary>What the operating guide says is there.</summary>
public sealed partial class GuideTests : OpsTest
{
    [Fact]
    public async Task Every_address_of_the_guide_answers_and_every_address_stands_in_it()
    {
        var job = TestJobs.Kind("any", _ => Task.CompletedTask);
        await using var app = await OpsApp.OpenAsync(Database, [job]);
        var run = await app.Jobs.EnqueueAsync(job.Call());
        var guide = await File.ReadAllTextAsync(PathTo("docs/guides/operating/README.md"));

        var pages = Page().Matches(guide).Select(m => m.Groups[1].Value.Replace("{id}", run.ToString())).Distinct().ToList();
        Assert.True(pages.Count >= 4);
        foreach (var page in pages) Assert.Equal((page, HttpStatusCode.OK), (page, (await app.Client.GetAsync(page)).StatusCode));

        var names = app.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<ForMachines>() is not null)
            .Select(e => e.RoutePattern.RawText!.TrimEnd('/').Split('/')[^1]).Where(name => !name.StartsWith('{')).Distinct();
        Assert.All(names, name => Assert.Contains(name, guide));
    }

    [Theory]
    [InlineData("operating", 2)]
    [InlineData("src/Keelback.Ops/README.md", 1)]
    public void Its_examples_are_ones_that_are_run(string page, int atLeast) => GuideText.IsRun(page, atLeast, "Keelback.Ops.Tests/OperatingGuide.cs");

    [Fact]
    public async Task Its_example_opens_the_pages_to_operators_alone()
    {
        var keys = Directory.CreateTempSubdirectory("keelback-keys");
        await using var guide = await GuideApp.StartAsync(OperatingGuide.RunAsync, Database, "--Operators:ada=right", $"--KeyFolder={keys}");
        using var browser = Browser();
        var at = guide.App.Urls.First();

        var closed = await browser.GetAsync($"{at}/ops/jobs");
        var form = await browser.GetStringAsync(closed.Headers.Location);
        var wrong = await LogInAsync(browser, at, "ada", "wrong");
        var nobody = await LogInAsync(browser, at, "bob", "");
        var stillClosed = await browser.GetAsync($"{at}/ops/jobs");
        var right = await LogInAsync(browser, at, "ada", "right");
        var pause = await PostFormAsync(browser, await browser.GetStringAsync(at + right), at, "/ops/jobs/workers/all/pause");

        Assert.Equal((HttpStatusCode.Redirect, "/login"), (closed.StatusCode, closed.Headers.Location!.AbsolutePath));
        Assert.Matches("<form method=\"post\">.*name=\"name\".*name=\"password\"", form);
        Assert.Equal(("/login", "/login", HttpStatusCode.Redirect, "/ops/jobs"), (wrong, nobody, stillClosed.StatusCode, right));
        Assert.True(pause.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Redirect, $"{pause.StatusCode}");
        Assert.Contains("ada", await browser.GetStringAsync($"{at}/ops/jobs/audit"));
        keys.Delete(recursive: true);
    }

    [Fact]
    public async Task Its_web_processes_take_each_others_forms_as_long_as_they_have_the_same_keys()
    {
        var (shared, other) = (Directory.CreateTempSubdirectory("keelback-keys"), Directory.CreateTempSubdirectory("keelback-keys"));
        await using var one = await GuideApp.StartAsync(OperatingGuide.RunAsync, Database, "--Operators:ada=right", $"--KeyFolder={shared}");
        await using var two = await GuideApp.StartAsync(OperatingGuide.RunAsync, Database, "--Operators:ada=right", $"--KeyFolder={shared}");
        await using var stranger = await GuideApp.StartAsync(OperatingGuide.RunAsync, Database, "--Operators:ada=right", $"--KeyFolder={other}");
        using var browser = Browser(); // a cookie is a host's, on whatever port: as behind a load balancer
        await LogInAsync(browser, one.App.Urls.First(), "ada", "right");
        var page = await browser.GetStringAsync($"{one.App.Urls.First()}/ops/jobs/workers");

        var taken = await PostFormAsync(browser, page, two.App.Urls.First(), "/ops/jobs/workers/all/pause");
        var unknown = await browser.GetAsync($"{stranger.App.Urls.First()}/ops/jobs");
        await LogInAsync(browser, stranger.App.Urls.First(), "ada", "right");
        var refused = await PostFormAsync(browser, page, stranger.App.Urls.First(), "/ops/jobs/workers/all/pause");

        Assert.True(taken.StatusCode is HttpStatusCode.SeeOther or HttpStatusCode.Redirect, $"{taken.StatusCode}");
        Assert.Equal("/login", unknown.Headers.Location!.AbsolutePath);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("have not the same data-protection keys", await refused.Content.ReadAsStringAsync());
        shared.Delete(recursive: true);
        other.Delete(recursive: true);
    }

    private static HttpClient Browser() => new(new HttpClientHandler { AllowAutoRedirect = false });

    private static async Task<string> LogInAsync(HttpClient browser, string at, string name, string password)
    {
        using var fields = new FormUrlEncodedContent([new("name", name), new("password", password)]);
        return (await browser.PostAsync($"{at}/login", fields)).Headers.Location!.ToString();
    }

    private static async Task<HttpResponseMessage> PostFormAsync(HttpClient browser, string page, string at, string path)
    {
        var token = Token().Match(page);
        using var fields = new FormUrlEncodedContent([new(token.Groups[1].Value, token.Groups[2].Value)]);
        return await browser.PostAsync(at + path, fields);
    }

    [Fact]
    public async Task Every_metric_stands_in_the_guide()
    {
        await using var app = await OpsApp.OpenAsync(Database);
        var guide = await File.ReadAllTextAsync(PathTo("docs/guides/operating/README.md"));

        var names = (await app.PageAsync("/metrics")).Split('\n').Where(l => l.StartsWith("# TYPE keelback_")).Select(l => l.Split(' ')[2]);

        Assert.All(names, name => Assert.True(
            guide.Contains(name) || guide.Contains('_' + string.Join('_', name.Split('_').Skip(2))), $"{name} is not in the guide."));
    }

    private static string PathTo(string page)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Keelback.slnx"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, page);
    }

    [GeneratedRegex("type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]+)\"")]
    private static partial Regex Token();

    [GeneratedRegex(@"^\| `(/ops/jobs[^`]*)` \|", RegexOptions.Multiline)]
    private static partial Regex Page();
}
