using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>How attempts end in traces and figures.</summary>
public sealed class TelemetryTests : JobsTest
{
    private sealed class Db(DbContextOptions<Db> options) : DbContext(options);

    [Fact]
    public async Task Spans_and_figures_say_how_an_attempt_ended_and_only_a_failed_one_is_an_error()
    {
        var snoozed = 0;
        var note = TestJobs.Kind("note", _ => Task.CompletedTask);
        JobKind[] kinds =
        [
            note,
            TestJobs.Kind("inside", _ => Task.CompletedTask, d => d.Transactional = true),
            TestJobs.Kind("idle", _ => throw JobExit.Ignore()),
            TestJobs.Kind("not-yet", _ => Interlocked.Increment(ref snoozed) == 1 ? throw JobExit.Snooze(TimeSpan.Zero) : Task.CompletedTask),
            TestJobs.Kind("shaky", _ => throw new IOException("disk"), d => d.MaxAttempts = 2),
            TestJobs.Kind("late", call => Task.Delay(Timeout.Infinite, call.Cancellation), d => (d.Timeout, d.MaxAttempts) = ("00:00:00.05", 1)),
            TestJobs.Kind("split", call => Task.FromResult(call.Services.GetRequiredService<JobContext>().Replace(note.Call<int>()))),
        ];
        await using var host = JobHost.Create(Database, kinds, data: k => k.AddData<Db>());
        var telemetry = host.Services.GetRequiredService<JobTelemetry>();
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, telemetry.Source),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var attempts = new Measured(telemetry.Ended);
        await host.StartAsync();

        foreach (var kind in kinds) await host.EndOf(await host.Jobs.EnqueueAsync(kind.Call()));
        await host.StopAsync();

        Assert.Equal(
        [
            "idle skipped Unset ", "inside succeeded Unset ", "late failed Error timeout", "not-yet snoozed Unset ", "not-yet succeeded Unset ",
            "note succeeded Unset ", "note succeeded Unset ", "shaky failed Error System.IO.IOException", "shaky retried Error System.IO.IOException",
            "split replaced Unset ",
        ], spans.Where(s => s.Kind == ActivityKind.Consumer)
            .Select(s => $"{s.DisplayName} {s.GetTagItem("keelback.outcome")} {s.Status} {s.GetTagItem("error.type")}").Order(StringComparer.Ordinal));
        Assert.Equal(
        [
            "idle skipped", "inside succeeded", "late failed", "not-yet snoozed", "not-yet succeeded", "note succeeded", "note succeeded", "shaky failed",
            "shaky retried", "split replaced",
        ], attempts.Tags.Order(StringComparer.Ordinal));
    }
}
