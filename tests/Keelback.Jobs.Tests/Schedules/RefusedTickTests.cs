using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>Ticks whose calls cannot be enqueued, beside others whose can.</summary>
public sealed class RefusedTickTests : SchedulesTest
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private static readonly Trigger s_minutes = Trigger.Cron("* * * * *");

    [Fact]
    public async Task A_graph_and_a_unique_call_fire_beside_plain_ones()
    {
        var single = TestJobs.Kind("single", _ => Task.CompletedTask).With(new UniqueAttribute("one"));
        await using var node = await NodeOfAsync([Note, single], o =>
        {
            o.AddSchedule("graph", s_minutes, () => Note.Call().Then(Note.Call()));
            o.AddSchedule("plain", s_minutes, () => Note.Call());
            o.AddSchedule("unique", s_minutes, () => single.Call());
            o.AddSchedule("unique-graph", s_minutes, () => single.Call().With(new() { Unique = new("two") }).After(Note.Call()));
        });

        await FireAtAsync(node, 1);

        foreach (var name in new[] { "graph", "plain", "unique", "unique-graph" }) Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, name));
        Assert.Equal(6, await RunsAsync(node));
    }

    [Fact]
    public async Task A_unique_key_that_is_held_is_told_of_and_holds_up_no_other()
    {
        var single = TestJobs.Kind("single", _ => Task.CompletedTask).With(new UniqueAttribute("one") { OnConflict = UniqueConflict.Reject });
        await using var node = await NodeOfAsync([Note, single], o =>
        {
            o.AddSchedule("plain", s_minutes, () => Note.Call(), new() { CatchUp = CatchUp.All });
            o.AddSchedule("unique", s_minutes, () => single.Call(), new() { CatchUp = CatchUp.All });
        });

        await FireAtAsync(node, 2);
        await FireAtAsync(node, 3);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued", "12:03:00 Enqueued"], await TicksAsync(node, "plain"));
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Failed", "12:03:00 Failed"], await TicksAsync(node, "unique"));
        Assert.StartsWith("Keelback.KeelbackException: KB1231: ", (await Schedules(node).GetHistoryAsync("unique"))[0].Error);
    }

    [Fact]
    public async Task A_call_whose_previous_run_is_locked_is_tried_again_and_holds_up_no_other()
    {
        await using var node = await NodeOfAsync([Note], o =>
        {
            o.AddSchedule("held", s_minutes, () => Note.Call(), new() { Overlap = Overlap.CancelPrevious });
            o.AddSchedule("plain", s_minutes, () => Note.Call());
        });
        await FireAtAsync(node, 1);
        var previous = (await Schedules(node).GetHistoryAsync("held"))[0].Run!.Value;

        await using (await HeldUpTests.HoldAsync(node, previous)) await FireAtAsync(node, 2);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued"], await TicksAsync(node, "plain"));
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Failed"], await TicksAsync(node, "held"));
        Assert.StartsWith("Keelback.KeelbackException: KB1290: ", (await Schedules(node).GetHistoryAsync("held"))[0].Error);

        await FreezeClockAsync(s_noon.AddMinutes(2).AddSeconds(2));
        await FireAsync(node);
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued"], await TicksAsync(node, "held"));
        Assert.Equal(JobRunState.Cancelled, (await node.Jobs.GetAsync(previous))!.State);
    }

    [Fact]
    public async Task A_tick_that_finds_its_unique_key_taken_enqueues_nothing_and_names_who_has_it()
    {
        var single = TestJobs.Kind("single", _ => Task.CompletedTask).With(new UniqueAttribute("one"));
        await using var node = await NodeOfAsync([single], o => o.AddSchedule("unique", s_minutes, () => single.Call(), new() { MaxRuns = 2 }));

        await FireAtAsync(node, 1);
        await FireAtAsync(node, 2);

        var history = await Schedules(node).GetHistoryAsync("unique");
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Overlapped"], await TicksAsync(node, "unique"));
        Assert.Equal(history[1].Run, history[0].Run);
        Assert.Equal((1, JobScheduleState.Active), ((await Schedules(node).GetAsync("unique"))! is var s ? (s.Runs, s.State) : default));
    }

    [Fact]
    public async Task A_call_after_a_run_that_is_gone_fails_each_time_and_holds_up_no_other()
    {
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule("plain", s_minutes, () => Note.Call()));
        var run = await node.Jobs.EnqueueAsync(Note.Call());
        await Schedules(node).AddAsync("stored", s_minutes, Note.Call().After(Job.Of(run)));
        await FireAtAsync(node, 1);
        await node.ScalarAsync<long>($"with r as (delete from keelback.run where id = {run} returning 1) select count(*) from r");

        await FireAtAsync(node, 2);
        await FireAtAsync(node, 3);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued", "12:03:00 Enqueued"], await TicksAsync(node, "plain"));
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Failed", "12:03:00 Failed"], await TicksAsync(node, "stored"));
        Assert.StartsWith("Keelback.KeelbackException: KB1218: ", (await Schedules(node).GetHistoryAsync("stored"))[0].Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_cannot_be_enqueued_cancels_no_run(bool isThrown)
    {
        var isBroken = false;
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule("s", s_minutes, () => !isBroken ? Note.Call()
            : isThrown ? throw new InvalidOperationException("no disk")
            : new Job(Note, "{\"a\": 1e200000}"u8.ToArray(), []), new() { Overlap = Overlap.CancelPrevious }));
        await FireAtAsync(node, 1);

        isBroken = true;
        await FireAtAsync(node, 2);
        var refused = await StatesAsync(node);
        isBroken = false;
        await FireAtAsync(node, 3);

        Assert.Equal("0", refused);
        Assert.Equal("3 0", await StatesAsync(node));
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Failed", "12:03:00 Enqueued"], await TicksAsync(node, "s"));
    }

    [Fact]
    public async Task A_tick_whose_row_exists_cancels_no_run()
    {
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule("s", s_minutes, () => Note.Call(), new() { Overlap = Overlap.CancelPrevious }));
        await FireAtAsync(node, 1);
        await node.ScalarAsync<long>("with t as (insert into keelback.tick (schedule, at, outcome) select id, next_at, 0 from keelback.schedule returning 1) select count(*) from t");

        await FireAtAsync(node, 2);

        Assert.Equal("0", await StatesAsync(node));
    }

    [Fact]
    public async Task A_unique_call_takes_the_place_of_the_run_that_it_cancels()
    {
        var single = TestJobs.Kind("single", _ => Task.CompletedTask).With(new UniqueAttribute("one") { OnConflict = UniqueConflict.Reject });
        await using var node = await NodeOfAsync([single], o => o.AddSchedule("s", s_minutes, () => single.Call(), new() { Overlap = Overlap.CancelPrevious }));

        await FireAtAsync(node, 1);
        await FireAtAsync(node, 2);

        Assert.Equal("3 0", await StatesAsync(node));
    }

    [Fact]
    public async Task Only_ticks_that_enqueue_count_as_runs()
    {
        var broken = new HashSet<int> { 2, 4 };
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule(
            "s", s_minutes, tick => broken.Contains(tick.At.Minute) ? throw new InvalidOperationException("no disk") : Note.Call(), new() { MaxRuns = 3, CatchUp = CatchUp.All }));

        await FireAtAsync(node, 4); // may have had its three runs, and had two
        var between = (await Schedules(node).GetAsync("s"))!;
        await FireAtAsync(node, 5);
        await FireAtAsync(node, 9);

        Assert.Equal(
            ["12:01:00 Enqueued", "12:02:00 Failed", "12:03:00 Enqueued", "12:04:00 Failed", "12:05:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal((2, JobScheduleState.Active), (between.Runs, between.State));
        Assert.Equal((3, JobScheduleState.Ended), ((await Schedules(node).GetAsync("s"))! is var s ? (s.Runs, s.State) : default));
    }

    [Fact]
    public async Task A_failed_tick_is_tried_again_with_growing_waits_until_it_enqueues()
    {
        var tries = 0;
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule(
            "once", Trigger.Once(s_noon.AddMinutes(1)), () => tries++ is > 0 and < 5 ? throw new InvalidOperationException("no disk") : Note.Call()));

        var at = s_noon.AddMinutes(1);
        var waits = new List<double>();
        for (var second = 0; second <= 60; second++)
        {
            await FreezeClockAsync(at.AddSeconds(second));
            if (await FireAsync(node) > 0) waits.Add(second);
            if (second == 10) Assert.Equal((JobScheduleState.Active, null, 0), ((await Schedules(node).GetAsync("once"))! is var s ? (s.State, s.Next, s.Runs) : default));
        }

        Assert.Equal([0, 1, 3, 7, 15], waits[..5]);
        Assert.Equal(5, waits.Count);
        Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, "once"));
        Assert.Null((await Schedules(node).GetHistoryAsync("once"))[0].Error);
        Assert.Equal((JobScheduleState.Ended, 1), ((await Schedules(node).GetAsync("once"))! is var ended ? (ended.State, ended.Runs) : default));
    }

    [Fact]
    public async Task A_wait_is_five_minutes_at_most()
    {
        var isBroken = true;
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule(
            "once", Trigger.Once(s_noon.AddMinutes(1)), () => isBroken ? throw new InvalidOperationException("no disk") : Note.Call()));
        for (var minute = 1; minute <= 100; minute++) await FireAtAsync(node, minute);

        Assert.InRange(await node.ScalarAsync<TimeSpan>("select retry_at - keelback.clock() from keelback.schedule"), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        isBroken = false;
        await FireAtAsync(node, 105);

        Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, "once"));
    }

    [Fact]
    public async Task A_later_tick_takes_the_place_of_one_that_failed()
    {
        var isBroken = false;
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule("s", s_minutes, () => isBroken ? throw new InvalidOperationException("no disk") : Note.Call()));
        isBroken = true;
        await FireAtAsync(node, 1);
        await FireAtAsync(node, 2);
        isBroken = false;
        await FireAtAsync(node, 3);
        await FreezeClockAsync(s_noon.AddMinutes(3.9));
        var later = await FireAsync(node);

        Assert.Equal(["12:01:00 Failed", "12:02:00 Failed", "12:03:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal((0, 1), (later, await RunsAsync(node)));
    }

    [Fact]
    public async Task A_failed_tick_is_tried_no_more_when_it_is_too_late_or_paused_or_its_times_are_changed()
    {
        var isBroken = false;
        var once = Trigger.Once(s_noon.AddMinutes(1));
        await using var node = await NodeOfAsync([Note], o =>
        {
            foreach (var name in new[] { "late", "paused", "moved" })
                o.AddSchedule(name, once, () => isBroken ? throw new InvalidOperationException("no disk") : Note.Call(),
                    name == "late" ? new() { MisfireGrace = TimeSpan.FromSeconds(30) } : null);
        });
        isBroken = true;
        await FireAtAsync(node, 1);
        await Schedules(node).PauseAsync("paused");
        await Schedules(node).ChangeAsync("moved", Trigger.Once(s_noon.AddMinutes(5)));
        isBroken = false;
        await FireAtAsync(node, 2);

        foreach (var name in new[] { "late", "paused", "moved" }) Assert.Equal(["12:01:00 Failed"], await TicksAsync(node, name));
        Assert.Equal(JobScheduleState.Ended, (await Schedules(node).GetAsync("late"))!.State);
        Assert.Equal(0, await node.ScalarAsync<long>("select count(*) from keelback.schedule where fire_at <= keelback.clock()"));
    }

    [Fact]
    public async Task A_description_that_ticks_share_is_a_run_for_each()
    {
        var call = Note.Call();
        await using var node = await NodeOfAsync([Note], o => o.AddSchedule("s", s_minutes, () => call, new() { CatchUp = CatchUp.All }));

        await FireAtAsync(node, 3);

        Assert.Equal(3, await RunsAsync(node));
    }

    private async Task<JobHost> NodeOfAsync(JobKind[] kinds, Action<JobsOptions> configure)
    {
        await FreezeClockAsync(s_noon);
        return await JobHost.Create(Database, kinds, o =>
        {
            o.RunWorker = false;
            configure(o);
        }).StartAsync();
    }

    /// <summary>Fires until nothing is due.</summary>
    private async Task FireAtAsync(JobHost node, int minute)
    {
        await FreezeClockAsync(s_noon.AddMinutes(minute));
        while (await FireAsync(node) > 0)
        {
        }
    }

    private static Task<string> StatesAsync(JobHost node) =>
        node.ScalarAsync<string>("select string_agg(state::text, ' ' order by id) from keelback.run");
}
