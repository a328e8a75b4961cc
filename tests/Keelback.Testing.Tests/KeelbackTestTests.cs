using Keelback.Testing.Tests.App;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Testing.Tests;

public class KeelbackTestTests : KeelbackTest<Program>
{
    [Fact]
    public async Task A_request_a_job_and_its_mail_happen_in_one_test()
    {
        var album = await Make<Album>();

        var response = await As("ada").PostAsync("/sales", new { albumId = album.Id, quantity = 3 });

        await response.ShouldBe(201);
        Assert.Empty(Mail);
        Assert.Equal(1, await Jobs.DrainAsync());
        Assert.EndsWith(": 3", Mail.Single().Subject);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Nothing_of_a_test_is_left_for_the_next(int quantity)
    {
        Assert.Equal("0", await Client.GetStringAsync("/sales"));

        var album = await Make<Album>();
        await (await Client.PostAsync("/sales", new { albumId = album.Id, quantity })).ShouldBe(201);

        Assert.Equal("1", await Client.GetStringAsync("/sales"));
        Assert.Equal(1, OnCommit.Count);
        Assert.Equal(1, await Jobs.DrainAsync());
        Assert.Equal($": {quantity}", Mail.Single().Subject[^3..]);
    }

    [Fact]
    public async Task A_delayed_job_runs_when_the_clock_has_moved()
    {
        var album = await Make<Album>();
        await Client.PostAsync("/sales", new { albumId = album.Id, quantity = 1 });
        await Jobs.DrainAsync();
        Mail.Clear();

        var early = await Jobs.DrainAsync();
        Clock.Advance(TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));
        var due = await Jobs.DrainAsync();

        Assert.Equal((0, 1), (early, due));
        Assert.StartsWith("How is", Mail.Single().Subject);
    }

    [Fact]
    public async Task A_schedule_runs_when_the_test_says_so()
    {
        var schedule = Assert.Single(await Jobs.Schedules.ListAsync());
        Assert.Equal(("Receipts.Report", "cron 0 6 * * * (Europe/Berlin)"), (schedule.Name, schedule.Trigger.ToString()));

        await Jobs.Schedules.RunNowAsync("Receipts.Report");

        Assert.Empty(Mail);
        Assert.Equal(1, await Jobs.DrainAsync());
        Assert.Equal("0 sales", Mail.Single().Subject);
    }

    [Fact]
    public async Task What_waits_for_the_commit_runs_on_request()
    {
        var album = await Make<Album>();
        var greeting = Get<Greeting>();
        greeting.Said.Clear();

        await Client.PostAsync("/sales", new { albumId = album.Id, quantity = 4 });
        var before = greeting.Said.Count;
        await OnCommit.RunAsync();

        Assert.Equal(0, before);
        Assert.Equal(["sold 4"], greeting.Said);
        Assert.Equal(0, OnCommit.Count);
    }

    [Fact]
    public async Task A_caller_is_whom_the_test_says()
    {
        Assert.Equal("ada admin=True", await As("ada", "admin").GetStringAsync("/me"));
        Assert.Equal("bob admin=False", await As("bob").GetStringAsync("/me"));
    }

    [Fact]
    public async Task A_wrong_status_shows_the_problem()
    {
        var response = await Client.GetAsync("/broken");

        var failure = await Assert.ThrowsAsync<TestFailedException>(() => response.ShouldBe(200));

        Assert.StartsWith("Expected 200 from GET /broken, and it was 409:\n{", failure.Message);
        Assert.Contains("the till is empty", failure.Message);
    }

    [Fact]
    public async Task Queries_are_counted_and_listed()
    {
        await Make<Album>();

        await Client.GetAsync("/sales");

        Queries.ShouldBe(1);
        var failure = Assert.Throws<TestFailedException>(() => Queries.ShouldBe(3));
        Assert.StartsWith("Expected 3 queries, and there were 1:\n1. SELECT count(*)", failure.Message);
    }

    [Fact]
    public async Task A_body_that_is_content_already_is_sent_as_it_is()
    {
        var album = await Make<Album>();
        object body = new StringContent($"{{\"albumId\": {album.Id}, \"quantity\": 2}}", System.Text.Encoding.UTF8, "application/json");

        await (await Client.PostAsync("/sales", body)).ShouldBe(201);
    }

    [Fact]
    public void The_app_is_not_there_in_a_constructor() => Assert.Equal(
        "KB1610: The app is not there yet. Use it in the test or in InitializeAsync after base.InitializeAsync(), not in the constructor.",
        Assert.Throws<KeelbackException>(() => new TooEarly()).Message);

    [Fact]
    public void A_template_that_cannot_be_part_of_a_databases_name_is_refused() => Assert.Equal(
        "KB1601: A template cannot be called 'Shop-1'; use 1 to 20 lower-case letters, digits and underscores.",
        Assert.Throws<KeelbackException>(() => new TestTemplate("Shop-1", (_, _) => Task.CompletedTask)).Message);

    private sealed class TooEarly : KeelbackTest<Program>
    {
        public TooEarly() => _ = Get<Greeting>();
    }

    [Fact]
    public async Task Requests_that_come_together_take_turns()
    {
        var album = await Make<Album>();

        var sales = await Task.WhenAll(Enumerable.Range(1, 8).Select(n => Client.PostAsync("/sales", new { albumId = album.Id, quantity = n })));

        Assert.All(sales, sale => Assert.Equal(201, (int)sale.StatusCode));
        Assert.Equal("8", await Client.GetStringAsync("/sales"));
    }
}

/// <summary>Real commits.</summary>
public class CloneTests : KeelbackTest<Program>
{
    protected override TestIsolation Isolation => TestIsolation.Clone;

    [Fact]
    public async Task What_waits_for_the_commit_has_run_and_the_row_is_there()
    {
        var album = await Make<Album>();
        var greeting = Get<Greeting>();

        await (await Client.PostAsync("/sales", new { albumId = album.Id, quantity = 5 })).ShouldBe(201);

        Assert.Contains("sold 5", greeting.Said);
        await using var second = Services.CreateAsyncScope();
        Assert.Equal(1, await second.ServiceProvider.GetRequiredService<ShopDb>().Sales.CountAsync(s => s.Quantity == 5));
        Assert.Equal(1, await Jobs.DrainAsync());
        Assert.EndsWith(": 5", Mail.Single().Subject);
    }
}

/// <summary>An app that a class changes is its own.</summary>
public class ConfiguredTests : KeelbackTest<Program>
{
    protected override void ConfigureApp(IWebHostBuilder app) =>
        app.ConfigureTestServices(services => services.AddSingleton(new Greeting { Text = "changed" }));

    [Fact]
    public async Task A_replaced_service_is_the_one_that_answers() =>
        Assert.Equal("changed", await Client.GetStringAsync("/greeting"));
}

public class UnchangedTests : KeelbackTest<Program>
{
    [Fact]
    public async Task Another_class_has_the_app_as_it_is() =>
        Assert.Equal("hello", await Client.GetStringAsync("/greeting"));
}
