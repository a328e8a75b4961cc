using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>A tick runs once, whoever tries and whatever clocks do.</summary>
public sealed class TickerTests : SchedulesTest
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_tick_enqueues_its_call_once_and_says_so()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o => o.AddSchedule("five", Trigger.Every(TimeSpan.FromMinutes(5)), tick => Note.Call(new { at = tick.At, tick.Previous })));

        var early = await FireAsync(node);
        await FreezeClockAsync(s_noon.AddMinutes(5));
        var due = await FireAsync(node);
        var again = await FireAsync(node);
        await FreezeClockAsync(s_noon.AddMinutes(10));
        await FireAsync(node);

        Assert.Equal((0, 1, 0), (early, due, again));
        Assert.Equal(["12:05:00 Enqueued", "12:10:00 Enqueued"], await TicksAsync(node, "five"));
        Assert.Equal(
            """{"at": "2026-03-02T12:05:00+00:00", "previous": null} {"at": "2026-03-02T12:10:00+00:00", "previous": "2026-03-02T12:05:00+00:00"}""",
            await node.ScalarAsync<string>("select string_agg(input::text, ' ' order by id) from keelback.run"));
        var schedule = (await Schedules(node).GetAsync("five"))!;
        Assert.Equal((s_noon.AddMinutes(15), s_noon.AddMinutes(10), 2), (schedule.Next, schedule.Last, schedule.Runs));
        Assert.Equal((await Schedules(node).GetHistoryAsync("five"))[0].Run, schedule.LastRun);
    }

    [Fact]
    public async Task Of_many_nodes_one_fires_each_tick()
    {
        const int Schedules = 20;
        void Define(JobsOptions o)
        {
            for (var i = 0; i < Schedules; i++)
                o.AddSchedule($"s{i}", Trigger.Every(TimeSpan.FromSeconds(1)), () => Note.Call(), new() { CatchUp = CatchUp.All });
        }

        await FreezeClockAsync(s_noon);
        await using var a = await NodeAsync(Define);
        await using var b = await NodeAsync(Define);
        await using var c = await NodeAsync(Define);
        for (var second = 1; second <= 20; second++)
        {
            await FreezeClockAsync(s_noon.AddSeconds(second + 0.02 * second));
            await Task.WhenAll(new[] { a, b, c, a, b, c }.Select(FireAsync));
        }

        await FireAsync(a);
        Assert.Equal(20 * Schedules, await RunsAsync(a));
        Assert.Equal(20 * Schedules, await a.ScalarAsync<long>(
            "select count(*) from (select distinct schedule, at from keelback.tick where outcome = 0 and run_id is not null and at = date_trunc('second', at)) t"));
        Assert.Equal(20L, await a.ScalarAsync<long>("select min(runs)::bigint from keelback.schedule"));
    }

    [Fact]
    public async Task Running_nodes_fire_by_themselves_and_their_workers_run_the_calls()
    {
        var ran = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        var count = TestJobs.Kind("count", call =>
        {
            ran.AddOrUpdate(call.Get<string>("at"), 1, (_, n) => n + 1);
            return Task.CompletedTask;
        });
        JobHost Node() => JobHost.Create(Database, [count], o => o.AddSchedule(
            "hourly", Trigger.Cron("0 * * * *"), tick => count.Call(new { at = tick.At }), new() { CatchUp = CatchUp.All }), clock: Clock);
        await using var a = await Node().StartAsync();
        await using var b = await Node().StartAsync();
        await using var c = await Node().StartAsync();

        for (var hour = 1; hour <= 5; hour++)
        {
            Clock.Advance(TimeSpan.FromHours(1));
            await Eventually(async () => await a.ScalarAsync<long>("select count(*) from keelback.run where state = 1") == hour, $"run {hour}");
        }

        Assert.Equal((5, 5), (ran.Count, ran.Values.Sum()));
    }

    [Fact]
    public async Task A_tick_whose_row_exists_moves_the_schedule_on_and_enqueues_nothing()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("five", Trigger.Every(TimeSpan.FromMinutes(5)));
        await node.ScalarAsync<long>("with t as (insert into keelback.tick (schedule, at, outcome) select id, next_at, 0 from keelback.schedule returning 1) select count(*) from t");

        await FreezeClockAsync(s_noon.AddMinutes(5));
        await FireAsync(node);

        Assert.Equal((0L, s_noon.AddMinutes(10)), (await RunsAsync(node), (await Schedules(node).GetAsync("five"))!.Next));
    }

    [Theory, InlineData("resume"), InlineData("pause and resume"), InlineData("change"), InlineData("the same again"), InlineData("reset")]
    public async Task What_ticked_while_the_clock_was_ahead_is_told_of_and_goes_on_from_now_when_it_is_resumed_changed_or_reset(string way)
    {
        var trigger = Trigger.Every(TimeSpan.FromHours(1));
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("s", trigger);
        var schedules = Schedules(node);
        if (way == "reset") await schedules.ChangeAsync("s", options: new() { Overlap = Overlap.Skip });
        await FreezeClockAsync(s_noon.AddDays(365));
        await FireAsync(node);
        await FreezeClockAsync(s_noon.AddMinutes(90));
        var silent = (await schedules.GetAsync("s"))!.Next;
        var (lines, me) = (new LogLines(), new TickerIdentity("test", ["note"], ["s"]));
        var look = new SilentSchedules(Clock, lines);
        await using var connection = await node.Db.OpenConnectionAsync();
        await look.LookAsync(connection, me, default);
        Clock.Advance(TimeSpan.FromMinutes(2));
        await look.LookAsync(connection, me, default);

        if (way.StartsWith("pause", StringComparison.Ordinal)) await schedules.PauseAsync("s");
        await (way switch
        {
            "change" => schedules.ChangeAsync("s", Trigger.Every(TimeSpan.FromMinutes(30))),
            "the same again" => schedules.AddOrChangeAsync("s", trigger, Note.Call()),
            "reset" => schedules.ResetAsync("s"),
            _ => schedules.ResumeAsync("s"),
        });

        var schedule = (await schedules.GetAsync("s"))!;
        await FreezeClockAsync(s_noon.AddMinutes(120));
        await FireAsync(node);
        Assert.Equal(s_noon.AddDays(365).AddHours(1), silent);
        Assert.Equal(["Schedule s is silent until 03/02/2027 13:00:00 +00:00, not 03/02/2026 14:00:00 +00:00: it ticked while the database's clock was ahead. Resume it, paused or not, and it counts from now"], lines);
        Assert.Equal((s_noon.AddMinutes(120), s_noon.AddMinutes(90)), (schedule.Next, schedule.Last));
        Assert.Equal("12:00:00 Enqueued 14:00:00 Enqueued", string.Join(' ', (await TicksAsync(node, "s")).Where(t => t.EndsWith("Enqueued", StringComparison.Ordinal)).Order()));
    }

    private sealed class LogLines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add(formatter(state, exception));
    }

    [Fact]
    public async Task A_clock_that_goes_back_repeats_no_tick()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("five", Trigger.Every(TimeSpan.FromMinutes(5), aligned: true));
        await FreezeClockAsync(s_noon.AddMinutes(5));
        await FireAsync(node);

        await FreezeClockAsync(s_noon.AddMinutes(-60));
        await FireAsync(node);
        await Schedules(node).ChangeAsync("five", options: new() { Start = s_noon.AddMinutes(-6) }); // looks for its next tick anew, and from now
        for (var minute = -59; minute <= 10; minute++)
        {
            await FreezeClockAsync(s_noon.AddMinutes(minute));
            await FireAsync(node);
        }

        Assert.Equal(["11:55:00 Enqueued", "12:00:00 Enqueued", "12:05:00 Enqueued", "12:10:00 Enqueued"], await TicksAsync(node, "five"));
        Assert.Equal(4, await RunsAsync(node));
    }

    [Fact]
    public async Task A_call_that_cannot_be_made_is_noted_and_holds_up_no_other()
    {
        await FreezeClockAsync(s_noon);
        var broken = false;
        await using var node = await NodeAsync(o =>
        {
            o.AddSchedule("a", Trigger.Every(TimeSpan.FromMinutes(1)), () => broken ? throw new InvalidOperationException("no disk") : Note.Call());
            o.AddSchedule("b", Trigger.Every(TimeSpan.FromMinutes(1)), () => Note.Call(new { text = broken ? "\0" : "" }));
            o.AddSchedule("c", Trigger.Every(TimeSpan.FromMinutes(1)), () => Note.Call());
        });
        broken = true;

        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);
        broken = false;
        await FreezeClockAsync(s_noon.AddMinutes(2));
        await FireAsync(node);

        foreach (var name in new[] { "a", "b" }) Assert.Equal(["12:01:00 Failed", "12:02:00 Enqueued"], await TicksAsync(node, name));
        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Enqueued"], await TicksAsync(node, "c"));
        Assert.Equal("System.InvalidOperationException: no disk", (await Schedules(node).GetHistoryAsync("a"))[1].Error);
        Assert.StartsWith("Keelback.KeelbackException: KB1207", (await Schedules(node).GetHistoryAsync("b"))[1].Error);
    }

    [Fact]
    public async Task A_call_that_the_database_refuses_is_noted_and_holds_up_no_other()
    {
        await FreezeClockAsync(s_noon);
        var broken = false;
        await using var node = await NodeAsync(o =>
        {
            o.AddSchedule("a", Trigger.Every(TimeSpan.FromMinutes(1)), () => broken
                ? new Job(Note, "{\"a\": 1e200000}"u8.ToArray(), [])
                : Note.Call());
            o.AddSchedule("b", Trigger.Every(TimeSpan.FromMinutes(1)), () => Note.Call());
        });
        broken = true;

        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);

        Assert.Equal(["12:01:00 Failed"], await TicksAsync(node, "a"));
        Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, "b"));
        Assert.Contains("22003", (await Schedules(node).GetHistoryAsync("a"))[0].Error);
    }

    [Fact]
    public async Task A_call_that_a_filter_refuses_is_noted_and_holds_up_no_other()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await JobHost.Create(Database, [Note, TestJobs.Kind("banned", _ => Task.CompletedTask)], o =>
        {
            o.RunWorker = false;
            o.AddSchedule("a", Trigger.Every(TimeSpan.FromMinutes(1)), () => new Job(TestJobs.Kind("banned", _ => Task.CompletedTask), "{}"u8.ToArray(), []));
            o.AddSchedule("b", Trigger.Every(TimeSpan.FromMinutes(1)), () => Note.Call());
        }, services => services.AddSingleton<IEnqueueFilter, Ban>()).StartAsync();

        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);

        Assert.Equal(["12:01:00 Failed"], await TicksAsync(node, "a"));
        Assert.Equal(["12:01:00 Enqueued"], await TicksAsync(node, "b"));
        Assert.Equal("System.InvalidOperationException: not this one", (await Schedules(node).GetHistoryAsync("a"))[0].Error);
    }

    private sealed class Ban : IEnqueueFilter
    {
        public void OnEnqueue(JobEnqueue job)
        {
            if (job.Kind == "banned") throw new InvalidOperationException("not this one");
        }
    }

    [Fact]
    public async Task A_tick_enqueues_a_whole_graph()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("code", Trigger.Every(TimeSpan.FromMinutes(1)));
        var first = Note.Call(new { n = 1 });
        var graph = Note.Call(new { n = 3 }, new JobBinding("x", first)).After(first, Note.Call(new { n = 2 }));
        await Schedules(node).AddAsync("stored", Trigger.Every(TimeSpan.FromMinutes(1)), graph);

        await FreezeClockAsync(s_noon.AddMinutes(1));
        await FireAsync(node);
        await node.Services.GetRequiredService<JobDrainer>().DrainAsync();

        Assert.Equal("1 2 3", await node.ScalarAsync<string>("select string_agg(input ->> 'n', ' ' order by input ->> 'n') from keelback.run where state = 1"));
        var last = (await Schedules(node).GetAsync("stored"))!.LastRun;
        Assert.Equal(last, await node.ScalarAsync<long>("select id from keelback.run where input ->> 'n' = '3'"));
    }

    [Fact]
    public async Task Who_lacks_the_code_or_a_job_leaves_the_tick_to_others()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync("code", Trigger.Every(TimeSpan.FromMinutes(1)));
        await Schedules(node).AddAsync("stored", Trigger.Every(TimeSpan.FromMinutes(1)), Note.Call());
        await using var other = JobHost.Create(Database, [], o => o.RunWorker = false, program: "another");
        await other.StartAsync();

        await FreezeClockAsync(s_noon.AddMinutes(1));

        Assert.Equal((0, 2), (await FireAsync(other), await FireAsync(node)));
    }
}
