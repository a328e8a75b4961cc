using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>What becomes of ticks that nobody fired in time, and of those whose last run is still open.</summary>
public sealed class PolicyTests : SchedulesTest
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private static readonly Trigger s_minutes = Trigger.Cron("* * * * *");

    [Fact]
    public async Task After_an_outage_the_catch_up_policy_holds_for_every_tick()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o =>
        {
            void Add(string name, ScheduleOptions options) => o.AddSchedule(name, s_minutes, () => Note.Call(), options);
            Add("latest", new());
            Add("all", new() { CatchUp = CatchUp.All });
            Add("some", new() { CatchUp = CatchUp.All, CatchUpLimit = 3 });
            Add("none", new() { CatchUp = CatchUp.None });
            Add("none-late", new() { CatchUp = CatchUp.None, MisfireGrace = TimeSpan.FromSeconds(20) });
            Add("graceful", new() { CatchUp = CatchUp.All, MisfireGrace = TimeSpan.FromSeconds(150) });
        });

        await FreezeClockAsync(s_noon.AddMinutes(6).AddSeconds(30)); // ticks at :01 to :06
        await FireAsync(node);
        var second = await FireAsync(node);

        Assert.Equal(0, second);
        Assert.Equal(["12:01:00-12:05:00 Coalesced 5", "12:06:00 Enqueued"], await TicksAsync(node, "latest"));
        Assert.Equal(Enumerable.Range(1, 6).Select(m => $"12:0{m}:00 Enqueued"), await TicksAsync(node, "all"));
        Assert.Equal(
            ["12:01:00-12:03:00 OverCatchUpLimit 3", "12:04:00 Enqueued", "12:05:00 Enqueued", "12:06:00 Enqueued"], await TicksAsync(node, "some"));
        Assert.Equal(["12:01:00-12:05:00 TooLate 5", "12:06:00 Enqueued"], await TicksAsync(node, "none"));
        Assert.Equal(["12:01:00-12:05:00 TooLate 5", "12:06:00 TooLate"], await TicksAsync(node, "none-late"));
        Assert.Equal(
            ["12:01:00 TooLate", "12:02:00 TooLate", "12:03:00 TooLate", "12:04:00 Enqueued", "12:05:00 Enqueued", "12:06:00 Enqueued"],
            await TicksAsync(node, "graceful"));
        foreach (var schedule in await Schedules(node).ListAsync()) Assert.Equal(s_noon.AddMinutes(7), schedule.Next);
    }

    [Fact]
    public async Task A_leap_of_ten_days_fires_no_more_than_the_policy_says()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o =>
        {
            o.AddSchedule("latest", Trigger.Every(TimeSpan.FromSeconds(1)), () => Note.Call());
            o.AddSchedule("all", Trigger.Cron("* * * * * *"), () => Note.Call(), new() { CatchUp = CatchUp.All, CatchUpLimit = 5 });
            o.AddSchedule("none", Trigger.Every(TimeSpan.FromSeconds(1)), () => Note.Call(), new() { CatchUp = CatchUp.None });
        });

        await FreezeClockAsync(s_noon.AddDays(10).AddMilliseconds(1));
        await FireAsync(node);

        Assert.Equal(["12:00:01-11:59:59 Coalesced many", "12:00:00 Enqueued"], await TicksAsync(node, "latest"));
        Assert.Equal(
            "12:00:01-11:59:55 OverCatchUpLimit many, 11:59:56 Enqueued, 11:59:57 Enqueued, 11:59:58 Enqueued, 11:59:59 Enqueued, 12:00:00 Enqueued",
            string.Join(", ", await TicksAsync(node, "all")));
        Assert.Equal(["12:00:01-11:59:59 Coalesced many", "12:00:00 Enqueued"], await TicksAsync(node, "none"));
    }

    [Fact]
    public async Task Overlapping_ticks_enqueue_beside_the_open_run_by_default()
    {
        await using var node = await WithOverlapAsync(Overlap.Allow);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued", "12:03:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal(3, await RunsAsync(node));
    }

    [Fact]
    public async Task Overlapping_ticks_are_left_out_until_the_run_has_ended()
    {
        await using var node = await WithOverlapAsync(Overlap.Skip);
        await EndOpenRunsAsync(node);
        await FireAtAsync(node, 4);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Overlapped", "12:03:00 Overlapped", "12:04:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal(2, await RunsAsync(node));
    }

    [Fact]
    public async Task One_overlapping_tick_is_queued_and_fires_when_the_run_has_ended()
    {
        await using var node = await WithOverlapAsync(Overlap.Queue);
        var queued = await TicksAsync(node, "s");
        await EndOpenRunsAsync(node);

        var released = await FireAsync(node); // no tick is due
        var again = await FireAsync(node);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Queued", "12:03:00 Overlapped"], queued);
        Assert.Equal((1, 0), (released, again));
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued", "12:03:00 Overlapped"], await TicksAsync(node, "s"));
        Assert.Equal(2, await RunsAsync(node));

        await FireAtAsync(node, 4); // the one that was queued is open now
        await EndOpenRunsAsync(node);
        await FireAsync(node);
        await FireAtAsync(node, 5);
        Assert.Equal(["12:04:00 Enqueued", "12:05:00 Queued"], (await TicksAsync(node, "s"))[3..]);
    }

    [Fact]
    public async Task An_overlapping_tick_can_cancel_the_run_before_it()
    {
        await using var node = await WithOverlapAsync(Overlap.CancelPrevious);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued", "12:03:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal("3 3 0", await node.ScalarAsync<string>("select string_agg(state::text, ' ' order by id) from keelback.run"));
    }

    [Fact]
    public async Task The_graph_of_a_call_is_cancelled_as_a_whole()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o => o.AddSchedule("s", s_minutes, () => Note.Call().Then(Note.Call()), new() { Overlap = Overlap.CancelPrevious }));

        await FireAtAsync(node, 1);
        await FireAtAsync(node, 2);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal("3 3 0 0", await node.ScalarAsync<string>("select string_agg(state::text, ' ' order by id) from keelback.run"));
    }

    [Theory]
    [InlineData(Overlap.Skip, "Enqueued Overlapped Overlapped", 1)]
    [InlineData(Overlap.Queue, "Enqueued Queued Overlapped", 1)]
    [InlineData(Overlap.CancelPrevious, "Overlapped Overlapped Enqueued", 1)]
    [InlineData(Overlap.Allow, "Enqueued Enqueued Enqueued", 3)]
    public async Task Ticks_that_are_caught_up_overlap_each_other(Overlap overlap, string outcomes, int runs)
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("s", s_minutes, new() { Overlap = overlap, CatchUp = CatchUp.All });
        await FireAtAsync(node, 3);

        Assert.Equal(outcomes.Split(' '), (await TicksAsync(node, "s")).Select(t => t.Split(' ')[1]));
        Assert.Equal(runs, await RunsAsync(node));
    }

    [Fact]
    public async Task Nodes_judge_an_overlap_by_what_another_has_just_enqueued()
    {
        await FreezeClockAsync(s_noon);
        var options = new ScheduleOptions { Overlap = Overlap.Skip };
        await using var a = await NodeAsync("s", s_minutes, options);
        await using var b = await NodeAsync("s", s_minutes, options);
        for (var minute = 1; minute <= 15; minute++)
        {
            await FreezeClockAsync(s_noon.AddMinutes(minute));
            await Task.WhenAll(FireAsync(a), FireAsync(b));
        }

        Assert.Equal(1, await RunsAsync(a));
    }

    [Fact]
    public async Task A_schedule_ends_with_its_last_run_or_its_last_tick()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o =>
        {
            o.AddSchedule("three", s_minutes, () => Note.Call(), new() { MaxRuns = 3, CatchUp = CatchUp.All });
            o.AddSchedule("until", s_minutes, () => Note.Call(), new() { Start = s_noon.AddMinutes(2), End = s_noon.AddMinutes(4), CatchUp = CatchUp.All });
            o.AddSchedule("once", Trigger.Once(s_noon.AddMinutes(1)), () => Note.Call());
        });

        await FireAtAsync(node, 2);
        await FireAtAsync(node, 9);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued", "12:03:00 Enqueued"], await TicksAsync(node, "three"));
        Assert.Equal(["12:02:00 Enqueued", "12:03:00 Enqueued", "12:04:00 Enqueued"], await TicksAsync(node, "until"));
        Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, "once"));
        foreach (var schedule in await Schedules(node).ListAsync()) Assert.Equal((JobScheduleState.Ended, null), (schedule.State, schedule.Next));
    }

    [Fact]
    public async Task Slots_of_the_job_say_how_many_runs_of_a_schedule_there_are_at_once()
    {
        var gate = new Gate();
        var slow = TestJobs.Kind("slow", call => gate.PassAsync(call.Cancellation)).With(new LimitAttribute("slow") { Slots = 2 });
        await using var host = await JobHost.Create(
            Database, [slow], o => o.AddSchedule("s", Trigger.Cron("0 * * * *"), () => slow.Call(), new() { CatchUp = CatchUp.All }), clock: Clock).StartAsync();

        Clock.Advance(TimeSpan.FromHours(5));
        for (var i = 0; i < 2; i++) await gate.Started();
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.parked") == 3, "three are over the limit");

        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from keelback.claim"));
        gate.Open();
        await Eventually(async () => await host.ScalarAsync<long>("select count(*) from keelback.run where state = 1") == 5, "all have run");
    }

    [Fact]
    public async Task Jitter_delays_a_tick_by_less_than_it_and_the_same_on_every_node()
    {
        await FreezeClockAsync(s_noon);
        var jitter = TimeSpan.FromSeconds(40);
        void Define(JobsOptions o)
        {
            for (var i = 0; i < 200; i++) o.AddSchedule($"s{i}", s_minutes, () => Note.Call(), new() { Jitter = jitter });
        }

        await using var a = await NodeAsync(Define);
        await using var b = await NodeAsync(Define);
        const string Spread = "select array_agg(extract(epoch from fire_at - next_at)::float8 order by id) from keelback.schedule";
        var first = await a.ScalarAsync<double[]>(Spread);

        Assert.All(first, delay => Assert.InRange(delay, 0, 39.999999));
        Assert.InRange(first.Average(), 15, 25);
        await FreezeClockAsync(s_noon.AddMinutes(1).AddSeconds(20));
        while (await FireAsync(b) > 0)
        {
        }

        Assert.Equal(first.Count(delay => delay <= 20), await RunsAsync(a));
        Assert.Equal(first.Count(delay => delay <= 20), await a.ScalarAsync<long>($"select count(*) from keelback.tick where at = '{s_noon.AddMinutes(1):O}'"));
    }

    private async Task<JobHost> WithOverlapAsync(Overlap overlap)
    {
        await FreezeClockAsync(s_noon);
        var node = await NodeAsync("s", s_minutes, new() { Overlap = overlap });
        for (var minute = 1; minute <= 3; minute++) await FireAtAsync(node, minute);
        return node;
    }

    private async Task FireAtAsync(JobHost node, int minute)
    {
        await FreezeClockAsync(s_noon.AddMinutes(minute));
        await FireAsync(node);
    }

    private static Task<int> EndOpenRunsAsync(JobHost node) => node.Services.GetRequiredService<JobDrainer>().DrainAsync();
}
