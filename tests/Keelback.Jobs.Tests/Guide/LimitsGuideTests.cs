using System.Net.Http.Json;
using Keelback.Guides.Limits;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>The guide's examples, run; and the guide, held to them.</summary>
public sealed class LimitsGuideTests : JobsTest
{
    [Fact]
    public async Task The_guides_examples_do_what_it_says()
    {
        await using var guide = await GuideApp.StartAsync(App.RunAsync, Database);
        using var http = new HttpClient();
        var ct = CancellationToken.None;

        var import = await (await http.PostAsync($"{guide.App.Urls.First()}/imports/7", null)).Content.ReadFromJsonAsync<long>();
        await guide.Jobs.WaitAsync(import);
        foreach (var run in await guide.Jobs.EnqueueManyAsync([Billing.Charge(1, 5m), Billing.Charge(1, 6m), Billing.Refund(1, 5m)])) await guide.Jobs.WaitAsync(run);
        await ActivatorUtilities.CreateInstance<Throttle>(guide.Services).HalveAsync(ct);
        var queues = guide.Services.GetRequiredService<JobQueues>();
        foreach (var queue in new[] { "mail", "etl" }) await guide.Jobs.EnqueueAsync(Billing.Remind(1), new() { Queue = queue }); // from here on they exist
        await ActivatorUtilities.CreateInstance<Maintenance>(guide.Services).RunAsync(ct);
        await queues.PauseAsync("default", ct);
        var later = new EnqueueOptions { Delay = TimeSpan.FromHours(1) }; // a worker that has not heard of the pause would run the first
        var (first, second) = (await guide.Jobs.EnqueueAsync(Billing.Remind(3), later), await guide.Jobs.EnqueueAsync(Billing.Remind(3), later));

        Assert.Equal(JobRunState.Succeeded, (await guide.Jobs.GetAsync(import))!.State);
        Assert.Equal((5, 10), ((await guide.Services.GetRequiredService<JobLimits>().GetAsync("stripe", ct))!.Numbers is { } stripe ? (stripe.Slots, stripe.PerSecond) : default));
        Assert.Equal([("default", true, null), ("etl", false, 2), ("mail", false, null)],
            (await queues.ListAsync(ct)).OrderBy(q => q.Name, StringComparer.Ordinal).Select(q => (q.Name, q.IsPaused, q.Slots)));
        Assert.Equal((JobRunState.Cancelled, JobRunState.Scheduled), ((await guide.Jobs.GetAsync(first))!.State, (await guide.Jobs.GetAsync(second))!.State));
    }

    [Fact]
    public void Every_example_of_the_guide_is_one_that_is_run() => GuideText.IsRun("limits", atLeast: 3, "Keelback.Jobs.Tests/Guide/LimitsGuide.cs");
}
