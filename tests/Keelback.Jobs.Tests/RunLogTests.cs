using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Keelback.Jobs.Tests;

/// <summary>The lines that a run logged, kept with it.</summary>
public sealed class RunLogTests : JobsTest
{
    private static void Say(JobCall call, string text, LogLevel level = LogLevel.Information, Exception? e = null, string category = "Shop.Import") =>
        call.Services.GetRequiredService<ILoggerFactory>().CreateLogger(category).Log(level, default, text, e, static (said, _) => said);

    private Task<JobHost> StartLoggingAsync(JobKind kind, Action<JobsOptions>? configure = null) => JobHost.Create(
        Database, [kind], configure, services: s => s.AddLogging(l => l.SetMinimumLevel(LogLevel.Information))).StartAsync();

    [Fact]
    public async Task What_a_run_logs_is_kept_by_attempt_and_in_order()
    {
        var tries = 0;
        var import = TestJobs.Kind("import", async call =>
        {
            Say(call, "row 1");
            Say(call, "too fine", LogLevel.Debug);
            await Task.Yield();
            await Task.Run(() => Say(call, "row \0 2", LogLevel.Warning, new IOException("disk")));
            Say(call, "a statement", category: "Microsoft.EntityFrameworkCore.Database");
            if (Interlocked.Increment(ref tries) == 1) throw new InvalidOperationException("again");
        });
        await using var host = await StartLoggingAsync(import);
        var run = await host.EndOf(await host.Jobs.EnqueueAsync(import.Call()));

        await Eventually(async () => (await host.Jobs.GetLogAsync(run.Id)).Count >= 4, "four lines");
        var lines = await host.Jobs.GetLogAsync(run.Id);

        Assert.Equal(
            [(1, LogLevel.Information, "row 1"), (1, LogLevel.Warning, "row \uFFFD 2"), (2, LogLevel.Information, "row 1"), (2, LogLevel.Warning, "row \uFFFD 2")],
            lines.Select(l => (l.Attempt, l.Level, l.Message.Split('\n')[0])));
        Assert.Contains("System.IO.IOException: disk", lines[1].Message, StringComparison.Ordinal);
        Assert.All(lines, l => Assert.Equal("Shop.Import", l.Category));
    }

    [Fact]
    public async Task Two_runs_at_once_do_not_mix_their_lines()
    {
        var gate = new Gate();
        var import = TestJobs.Kind("import", async call =>
        {
            Say(call, $"before {call.Get<int>("n")}");
            await gate.PassAsync(call.Cancellation);
            Say(call, $"after {call.Get<int>("n")}");
        });
        await using var host = await StartLoggingAsync(import);
        var runs = await host.Jobs.EnqueueManyAsync([import.Call(new { n = 1 }), import.Call(new { n = 2 })]);
        await gate.Started();
        await gate.Started();
        gate.Open();

        foreach (var (run, n) in runs.Zip([1, 2]))
        {
            await Eventually(async () => (await host.Jobs.GetLogAsync(run)).Count >= 2, "two lines");
            Assert.Equal([$"before {n}", $"after {n}"], (await host.Jobs.GetLogAsync(run)).Select(l => l.Message));
        }
    }

    [Fact]
    public async Task More_than_the_cap_is_counted_and_not_kept()
    {
        var import = TestJobs.Kind("import", call =>
        {
            for (var i = 1; i <= 30; i++) Say(call, $"row {i}");
            return Task.CompletedTask;
        });
        await using var host = await StartLoggingAsync(import, o => o.LogLines = 10);
        var run = await host.EndOf(await host.Jobs.EnqueueAsync(import.Call()));

        await Eventually(async () => (await host.Jobs.GetLogAsync(run.Id)).Count >= 11, "eleven lines");

        Assert.Equal([.. Enumerable.Range(1, 10).Select(i => $"row {i}"), "… 20 more lines"], (await host.Jobs.GetLogAsync(run.Id)).Select(l => l.Message));
    }

    [Fact]
    public void Lines_that_come_from_many_threads_at_once_have_a_number_each()
    {
        var sink = new RunLogSink(TimeProvider.System);
        for (var round = 0; round < 100; round++) // as few as one would do on a machine with nothing else to do
        {
            var buffer = sink.Begin(new(1, 1, 1, 0, "import", []) { MaxAttempts = 1 }, mostLines: 20_000);
            Parallel.For(0, 20_000, new() { MaxDegreeOfParallelism = 8 }, _ => buffer.Add(LogLevel.Information, "", "", null));
            Assert.Equal(20_000, sink.Take(20_000).Select(line => line.N).Distinct().Count());
        }
    }

    [Fact]
    public async Task A_stopping_worker_writes_what_it_still_has_and_zero_lines_means_none()
    {
        var import = TestJobs.Kind("import", call =>
        {
            Say(call, "one");
            return Task.CompletedTask;
        });
        await using var quiet = await StartLoggingAsync(import, o => o.LogLines = 0);
        var silent = (await quiet.EndOf(await quiet.Jobs.EnqueueAsync(import.Call()))).Id;
        await quiet.StopAsync();
        await using var host = await StartLoggingAsync(import);
        var run = (await host.EndOf(await host.Jobs.EnqueueAsync(import.Call()))).Id;
        await host.StopAsync();

        Assert.Empty(await host.Jobs.GetLogAsync(silent));
        Assert.Equal("one", Assert.Single(await host.Jobs.GetLogAsync(run)).Message);
    }
}
