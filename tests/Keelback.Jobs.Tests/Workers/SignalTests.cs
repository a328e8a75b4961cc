using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Keelback.Jobs.Tests;

/// <summary>A worker's process that is told to end, and told again.</summary>
public sealed class SignalTests : JobsTest
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(50); // a tenth of it is for jobs that were cancelled

    [Fact]
    public async Task The_first_signal_waits_for_what_runs_and_the_second_hands_it_back_with_its_attempt()
    {
        await using var web = JobHost.Create(Database, []);
        await using var worker = new WorkerProcess("signals", Database.ConnectionString);
        var runs = await web.Jobs.EnqueueManyAsync(Kinds(new Gate()).Select(kind => kind.Call()));
        await worker.SaysAsync("polite runs", "deaf runs");

        await worker.TerminateAsync();
        await Eventually(async () => (await web.Services.GetRequiredService<JobWorkers>().ListAsync())[0].IsStopping, "it stops");
        var patient = await StatesAsync(web, runs);
        await worker.TerminateAsync();
        var code = await worker.EndAsync(within: s_patience / 2);

        Assert.Equal(0, code);
        Assert.Equal([(JobRunState.Running, 1), (JobRunState.Running, 1)], patient);
        Assert.Equal([(JobRunState.Ready, 0), (JobRunState.Ready, 0)], await StatesAsync(web, runs));
    }

    /// <summary>Works until it is told to end, or its input ends.</summary>
    internal static async Task ServeAsync(string connection)
    {
        await using var host = JobHost.Create(connection, Kinds(new Gate()), o => o.ShutdownTimeout = s_patience);
        var told = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(told.SetResult);
        await host.StartAsync();
        await Task.WhenAny(told.Task, Task.Run(Console.In.ReadLineAsync));
    }

    private static JobKind[] Kinds(Gate gate) =>
    [
        TestJobs.Kind("polite", call => SayAsync("polite runs", gate.PassAsync(call.Cancellation))),
        TestJobs.Kind("deaf", _ => SayAsync("deaf runs", gate.PassAsync(CancellationToken.None))),
    ];

    private static Task SayAsync(string what, Task job)
    {
        Console.WriteLine(what);
        return job;
    }

    private static async Task<(JobRunState State, int Attempt)[]> StatesAsync(JobHost host, long[] runs)
    {
        var states = new List<(JobRunState, int)>();
        foreach (var run in runs) states.Add(await host.Jobs.GetAsync(run) is { } r ? (r.State, r.Attempt) : default);
        return [.. states];
    }
}
