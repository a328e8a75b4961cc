using Keelback.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keelback.Postgres.Tests;

public sealed class TestClockTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Advancing_moves_the_process_and_the_database_alike()
    {
        await using var database = await TestDatabase.CreateAsync(SystemTemplate.Postgres);
        var clock = new TestClock(database.DataSource);

        clock.Advance(TimeSpan.FromDays(2));
        clock.Advance(TimeSpan.FromDays(1));

        await using var command = database.DataSource.CreateCommand("select keelback.clock()");
        var there = new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync())!);
        Assert.InRange(clock.GetUtcNow() - there, -s_soon, s_soon);
        Assert.InRange(clock.GetUtcNow() - TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(3) - s_soon, TimeSpan.FromDays(3) + s_soon);
    }

    [Fact]
    public async Task A_timer_fires_when_the_clock_jumps_past_it()
    {
        var clock = new TestClock();
        var delay = Task.Delay(TimeSpan.FromHours(1), clock);
        var later = Task.Delay(TimeSpan.FromHours(3), clock);

        clock.Advance(TimeSpan.FromHours(2));

        await delay.WaitAsync(s_soon);
        Assert.False(later.IsCompleted);
    }

    [Fact]
    public async Task A_sleeping_loop_looks_again_after_every_jump()
    {
        var clock = new TestClock();
        using var loop = new SleepyLoop(clock);
        await loop.StartAsync(default);
        await loop.Passes.WaitAsync(s_soon);

        clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True(await loop.Passes.WaitAsync(s_soon));
        await loop.StopAsync(default);
    }

    private sealed class SleepyLoop(TimeProvider clock) : PollingService(clock, NullLogger.Instance)
    {
        public SemaphoreSlim Passes { get; } = new(0);

        protected override Task<TimeSpan> PollAsync(CancellationToken stopping)
        {
            Passes.Release();
            return Task.FromResult(TimeSpan.FromDays(1));
        }
    }
}
