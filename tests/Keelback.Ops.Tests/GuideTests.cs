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

    [Fact]
    public async Task Its_example_opens_the_pages_to_operators_alone()
    {
        GuideText.IsRun("operating", atLeast: 1, "Keelback.Ops.Tests/OperatingGuide.cs");
        await using var guide = await GuideApp.StartAsync(OperatingGuide.RunAsync, Database);
        using var stranger = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });

        var answer = await stranger.GetAsync($"{guide.App.Urls.First()}/ops/jobs");

        Assert.Equal((HttpStatusCode.Redirect, "/Account/Login"), (answer.StatusCode, answer.Headers.Location!.AbsolutePath));
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

    [GeneratedRegex(@"^\| `(/ops/jobs[^`]*)` \|", RegexOptions.Multiline)]
    private static partial Regex Page();
}
