using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests.Schedules;

public sealed class TickEventTests : SchedulesTest
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_became_of_a_tick_is_told_by_the_node_that_fired_it()
    {
        var broken = false; // the call is made at the start too, to learn its kinds
        var heard = new ConcurrentQueue<JobEvent>();
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o =>
        {
            o.AddSchedule("good", Trigger.Every(TimeSpan.FromMinutes(5)), () => Note.Call(), new() { CatchUp = CatchUp.Latest });
            o.AddSchedule("bad", Trigger.Every(TimeSpan.FromMinutes(10)), () => !broken ? Note.Call() : throw new FormatException("no such day"));
        });
        var events = node.Services.GetRequiredService<JobEvents>();
        using var all = events.Subscribe<JobEvent>(heard.Enqueue);

        broken = true;
        await FreezeClockAsync(s_noon.AddMinutes(10));
        await FireAsync(node);
        await FireAsync(node);
        await events.DisposeAsync();

        var run = await node.ScalarAsync<long>("select id from keelback.run");
        Assert.Equal(new JobEnqueued(run, "note", "default"), Assert.Single(heard.OfType<JobEnqueued>()));
        Assert.Equal(new ScheduleTicked("good", s_noon.AddMinutes(10), run), Assert.Single(heard.OfType<ScheduleTicked>()));
        Assert.Equal(new ScheduleTicksPassed("good", s_noon.AddMinutes(5), JobTickOutcome.Coalesced, 1), Assert.Single(heard.OfType<ScheduleTicksPassed>()));
        var failed = Assert.Single(heard.OfType<ScheduleTickFailed>());
        Assert.Equal(("bad", s_noon.AddMinutes(10), "no such day"), (failed.Schedule, failed.At, failed.Error.Message));
    }
}
