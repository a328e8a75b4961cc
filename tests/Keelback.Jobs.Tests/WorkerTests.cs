using Keelback.Testing;

namespace Keelback.Jobs.Tests;

public sealed class WorkerTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(JobHost.Template);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_job_gets_its_arguments_and_leaves_its_result()
    {
        var add = TestJobs.Kind("add", call => Task.FromResult(call.Get<int>("a") + call.Get<int>("b")));
        await using var host = await JobHost.Create(_database, [add]).StartAsync();

        var run = await host.EndOf(await host.Jobs.EnqueueAsync(add.Call(new { a = 40, b = 2 })));

        Assert.Equal((JobRunState.Succeeded, 1, 42), (run.State, run.Attempt, run.Result<int>()));
    }
}
