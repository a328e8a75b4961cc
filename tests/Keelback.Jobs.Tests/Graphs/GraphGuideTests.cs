using Keelback.Guides.Graphs;

namespace Keelback.Jobs.Tests;

/// <summary>The guide's examples, run; and the guide, held to them.</summary>
public sealed class GraphGuideTests : JobsTest
{
    [Fact]
    public async Task The_guides_examples_do_what_it_says()
    {
        await using var host = await JobHost.Create(Database, JobKinds.In(typeof(Shop).Assembly).Where(kind => kind.DeclaredBy.Namespace == typeof(Shop).Namespace)).StartAsync();
        var jobs = host.Jobs;

        var chain = Shop.Orders(1).Then(orders => Shop.Sum(orders)).Then(Shop.Price);
        Assert.Equal(3300, await ResultAsync<int>(chain));

        var total = Shop.Sum(Job.All(Enumerable.Range(1, 5).Select(order => Shop.Price(order))));
        Assert.Equal(1500, await ResultAsync<int>(total));

        var mapped = Shop.Sum(Job.Map(Shop.Orders(2), Shop.Price, maxParallel: 8));
        var chunked = Shop.Sum(Job.Chunks(Shop.Orders(2), 2, chunk => Shop.Sum(chunk), skew: TimeSpan.FromMilliseconds(5)));
        Assert.Equal((6300, 63), (await ResultAsync<int>(mapped), await ResultAsync<int>(chunked)));

        var watched = Shop.Broken(7).OnSuccess(price => Shop.Price(price)).OnError(failure => Shop.Page(failure));
        var settled = Shop.Report(Job.AllSettled([Shop.Price(1), Shop.Broken(2)]));
        Assert.Equal("1 of 2", await ResultAsync<string>(settled));
        await host.EndOf(await jobs.EnqueueAsync(watched));
        var page = await host.EndOf(await host.ScalarAsync<long>("select max(id) from keelback.run where kind = 'Shop.Page'"));
        Assert.Equal("Shop.Broken: order 7 is empty", page.Result<string>());

        var price = await jobs.EnqueueAsync(Shop.Price(3));
        var later = await jobs.EnqueueAsync(Shop.Price(Job.Of<int>(price)));
        Assert.Equal(30_000, (await host.EndOf(later)).Result<int>());

        Assert.Equal(8, await ResultAsync<int>(Trees.Leaves(3)));

        await host.StopAsync();
        var run = await jobs.EnqueueAsync(total, new() { Tags = ["customer:42"] });
        var graph = await jobs.GetGraphAsync(run);             // nodes and edges with their states, from any run of it
        var found = await jobs.FindTaggedAsync("customer:42");
        await jobs.CancelTaggedAsync("customer:42");           // or CancelGraphAsync(run), CancelKindAsync("Shop.Price"), CancelAsync(run)
        Assert.Equal(6, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 3"));
        await jobs.RetryGraphAsync(run);                       // or RetryAsync(run)
        Assert.Equal((6, 5, 6, 6), (graph!.Nodes.Count, graph.Edges.Count, found.Count, await host.ScalarAsync<long>("select count(*) from keelback.run where state = 0")));

        async Task<T> ResultAsync<T>(Job job) => (await host.EndOf(await jobs.EnqueueAsync(job))).Result<T>()!;
    }

    [Fact]
    public void Every_example_of_the_guide_is_one_that_is_run() => GuideText.IsRun("graphs", atLeast: 8, "Keelback.Jobs.Tests/Graphs/GraphGuide.cs", "Keelback.Jobs.Tests/Graphs/GraphGuideTests.cs");
}
