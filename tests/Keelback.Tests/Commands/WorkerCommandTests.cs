namespace Keelback.Tests.Commands;

public class WorkerCommandTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" , ")]
    public async Task Queues_without_a_name_are_wrong_usage_and_not_every_queue(string queues)
    {
        using var app = new ShellApp();

        var code = await app.RunAsync("worker", "--queues", queues);

        Assert.Equal(2, code);
        Assert.StartsWith("--queues names no queue, and without names it would take every one. Give them as a,b, or leave the option out.", app.Error);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("worker")]
    public async Task Wrong_settings_are_told_by_a_worker_as_by_a_server(string command)
    {
        using var app = new ShellApp();
        app.Configuration["Keelback:Jobs:Heartbeat"] = "1.00:00:00";

        var code = await app.RunAsync(command);

        Assert.Equal(1, code);
        Assert.Matches(@"^KB1501: \d mistakes? before the start:\n  error KB1503: Keelback:Jobs:", app.Error);
    }

    [Fact]
    public async Task A_setting_that_does_not_read_is_told_too()
    {
        using var app = new ShellApp();
        app.Configuration["Keelback:Jobs:Heartbeat"] = "soon";

        var code = await app.RunAsync("worker", "--concurrency", "2");

        Assert.Equal((1, "KB1501: 1 mistake before the start:\n  error KB1502: Keelback:Jobs:Heartbeat ('soon') is not a duration such as 01:30:00.\n"), (code, app.Error));
    }

    [Fact]
    public async Task What_is_given_must_go_with_the_settings()
    {
        using var app = new ShellApp();
        app.Configuration["Keelback:Jobs:MinConcurrency"] = "5";

        var code = await app.RunAsync("worker", "--concurrency", "2");

        Assert.Equal((1, "KB1501: 1 mistake before the start:\n  error KB1503: Keelback:Jobs:MinConcurrency (5) must be 1 to Concurrency (2).\n"), (code, app.Error));
    }
}
