using System.Collections.Concurrent;
using Keelback.Testing;
using Microsoft.Extensions.Logging;

namespace Keelback.Jobs.Tests;

/// <summary>What subscribers hear, and what becomes of the process when they do not listen.</summary>
public sealed class EventTests : JobsTest
{
    private sealed class Lines : ConcurrentQueue<string>, ILogger<JobEvents>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Enqueue(formatter(state, exception));
    }

    [Fact]
    public async Task A_subscriber_that_blocks_costs_no_more_than_so_many_events_and_is_told_of_in_the_log()
    {
        var (lines, heard, entered, go) = (new Lines(), 0, new TaskCompletionSource(), new ManualResetEventSlim());
        await using var events = new JobEvents(TimeProvider.System, lines);
        using var blocked = events.Subscribe<WorkerStopped>(_ =>
        {
            entered.TrySetResult();
            Assert.True(go.Wait(Patience));
            heard++;
        });
        events.Raise(new WorkerStopped());
        await entered.Task.WaitAsync(Patience);

        for (var i = 0; i < JobEvents.Capacity + 7; i++) events.Raise(new WorkerStopped());
        var warned = lines.ToArray();
        go.Set();
        await events.DisposeAsync();

        Assert.Equal($"{JobEvents.Capacity} events wait for their subscribers; what comes is dropped until half of them are told", Assert.Single(warned));
        Assert.Equal(JobEvents.Capacity + 1, heard);
        Assert.Equal("7 events were dropped, because their subscribers were too slow", lines.Last());
    }

    [Fact]
    public async Task A_subscriber_that_blocks_does_not_hold_up_the_end_of_the_process()
    {
        var (lines, clock, entered, go) = (new Lines(), new TestClock(), new TaskCompletionSource(), new ManualResetEventSlim());
        var events = new JobEvents(clock, lines);
        using var blocked = events.Subscribe<WorkerStopped>(_ =>
        {
            entered.TrySetResult();
            go.Wait();
        });
        events.Raise(new WorkerStopped());
        events.Raise(new WorkerStopped());
        await entered.Task.WaitAsync(Patience);

        var end = events.DisposeAsync().AsTask();
        clock.Advance(JobEvents.Patience);
        await end.WaitAsync(Patience);

        Assert.Equal($"1 events were not told: a subscriber has not come to its end within {JobEvents.Patience}", Assert.Single(lines));
        go.Set();
    }
}
