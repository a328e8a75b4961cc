using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>Runs that work on what lies after <c>tick.Previous</c> and up to <c>tick.At</c> leave nothing out and take nothing twice.</summary>
public sealed class TickIntervalTests : SchedulesTest
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private static readonly Trigger s_minutes = Trigger.Cron("* * * * *");

    [Fact]
    public async Task A_tick_that_was_left_out_hands_its_interval_on()
    {
        await using var node = await NodeAsync(new() { Overlap = Overlap.Skip });
        foreach (var minute in new[] { 1, 2, 3 }) await FireAtAsync(node, minute);
        await EndOpenRunsAsync(node);
        await FireAtAsync(node, 4);

        Assert.Equal(["-12:01", "12:01-12:04"], await IntervalsAsync(node));
    }

    [Fact]
    public async Task A_queued_tick_comes_with_its_own_interval()
    {
        await using var node = await NodeAsync(new() { Overlap = Overlap.Queue });
        foreach (var minute in new[] { 1, 2, 3, 4 }) await FireAtAsync(node, minute);
        await EndOpenRunsAsync(node);
        await FireAtAsync(node, 5); // the queued one comes, and this one waits for it
        await EndOpenRunsAsync(node);
        await FireAsync(node);

        Assert.Equal(["-12:01", "12:01-12:02", "12:02-12:05"], await IntervalsAsync(node));
    }

    [Theory]
    [InlineData(Overlap.Allow, "0 0 0")]
    [InlineData(Overlap.CancelPrevious, "3 0 0")]
    public async Task A_queued_tick_comes_before_a_later_one_whose_policy_does_not_wait(Overlap policy, string states)
    {
        await using var node = await NodeAsync(new() { Overlap = Overlap.Queue });
        foreach (var minute in new[] { 1, 2 }) await FireAtAsync(node, minute);
        await Schedules(node).ChangeAsync("s", options: new() { Overlap = policy });
        await FireAtAsync(node, 3);

        Assert.Equal(["-12:01", "12:01-12:02", "12:02-12:03"], await IntervalsAsync(node));
        Assert.Equal(states, await node.ScalarAsync<string>("select string_agg(state::text, ' ' order by id) from keelback.run"));
    }

    [Fact]
    public async Task A_tick_that_was_too_late_or_coalesced_or_over_the_limit_hands_its_interval_on()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o =>
        {
            Add(o, "late", new() { CatchUp = CatchUp.All, MisfireGrace = TimeSpan.FromSeconds(90) });
            Add(o, "latest", new());
            Add(o, "some", new() { CatchUp = CatchUp.All, CatchUpLimit = 2 });
        });
        await FireAtAsync(node, 1);
        await FireAtAsync(node, 5);

        Assert.Equal(["-12:01", "12:01-12:04", "12:04-12:05"], await IntervalsAsync(node, "late"));
        Assert.Equal(["-12:01", "12:01-12:05"], await IntervalsAsync(node, "latest"));
        Assert.Equal(["-12:01", "12:01-12:04", "12:04-12:05"], await IntervalsAsync(node, "some"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tick_that_could_not_be_enqueued_hands_its_interval_on_within_a_pass_and_beyond(bool isThrown)
    {
        var broken = new HashSet<int> { 2, 4 };
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o => o.AddSchedule("s", s_minutes, tick => !broken.Contains(tick.At.Minute) ? Call("s", tick)
            : isThrown ? throw new InvalidOperationException("no disk")
            : new Job(Note, "{\"a\": 1e200000}"u8.ToArray(), []), new() { CatchUp = CatchUp.All }));
        await FireAtAsync(node, 4);
        await FireAtAsync(node, 5);

        Assert.Equal(["12:01:00 Enqueued", "12:02:00 Failed", "12:03:00 Enqueued", "12:04:00 Failed", "12:05:00 Enqueued"], await TicksAsync(node, "s"));
        Assert.Equal(["-12:01", "12:01-12:03", "12:03-12:05"], await IntervalsAsync(node));
    }

    [Fact]
    public async Task A_tick_that_found_its_unique_key_taken_hands_its_interval_on()
    {
        await FreezeClockAsync(s_noon);
        await using var node = await NodeAsync(o => o.AddSchedule("s", s_minutes, tick => Call("s", tick).With(new() { Unique = new("one") })));
        foreach (var minute in new[] { 1, 2 }) await FireAtAsync(node, minute);
        await EndOpenRunsAsync(node);
        await FireAtAsync(node, 3);

        Assert.Equal(["-12:01", "12:01-12:03"], await IntervalsAsync(node));
    }

    [Fact]
    public async Task Ticks_that_passed_while_it_was_paused_hand_their_interval_on()
    {
        await using var node = await NodeAsync(new() { Overlap = Overlap.Queue });
        foreach (var minute in new[] { 1, 2 }) await FireAtAsync(node, minute); // the second waits, and is dropped
        await Schedules(node).PauseAsync("s");
        await EndOpenRunsAsync(node);
        await FireAtAsync(node, 5);
        await Schedules(node).ResumeAsync("s");
        await FireAtAsync(node, 6);

        Assert.Equal(["-12:01", "12:01-12:06"], await IntervalsAsync(node));
    }

    [Fact]
    public async Task Run_by_hand_it_takes_what_came_since_and_moves_no_interval()
    {
        await using var node = await NodeAsync(new());
        await FireAtAsync(node, 1);
        await FreezeClockAsync(s_noon.AddMinutes(1.5));
        var byHand = await Schedules(node).RunNowAsync("s");
        await node.ScalarAsync<long>($"with r as (update keelback.run set input = input || '{{\"schedule\": \"hand\"}}' where id = {byHand} returning 1) select count(*) from r");
        await FireAtAsync(node, 2);

        Assert.Equal(["-12:01", "12:01-12:02"], await IntervalsAsync(node));
        Assert.Equal(["12:01-12:01"], await IntervalsAsync(node, "hand"));
        Assert.Equal("2026-03-02T12:01:30+00:00", await node.ScalarAsync<string>($"select input ->> 'at' from keelback.run where id = {byHand}"));
    }

    private static void Add(JobsOptions o, string name, ScheduleOptions options) => o.AddSchedule(name, s_minutes, tick => Call(name, tick), options);

    private static Job Call(string schedule, ScheduleTick tick) => Note.Call(new { schedule, tick.Previous, tick.At });

    private async Task<JobHost> NodeAsync(ScheduleOptions options)
    {
        await FreezeClockAsync(s_noon);
        return await NodeAsync(o => Add(o, "s", options));
    }

    private async Task FireAtAsync(JobHost node, int minute)
    {
        await FreezeClockAsync(s_noon.AddMinutes(minute));
        while (await FireAsync(node) > 0)
        {
        }
    }

    private static Task<int> EndOpenRunsAsync(JobHost node) => node.Services.GetRequiredService<JobDrainer>().DrainAsync();

    /// <summary>What the schedule's runs work on, oldest first, such as <c>12:01-12:02</c>.</summary>
    private static async Task<string[]> IntervalsAsync(JobHost node, string schedule = "s") => await node.ScalarAsync<string[]>(
        $"select array_agg(coalesce(substr(input ->> 'previous', 12, 5), '') || '-' || substr(input ->> 'at', 12, 5) order by id) from keelback.run where input ->> 'schedule' = '{schedule}'");
}
