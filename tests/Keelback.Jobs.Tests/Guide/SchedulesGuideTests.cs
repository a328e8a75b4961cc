using Keelback.Guides.Schedules;
using Microsoft.Extensions.DependencyInjection;

namespace Keelback.Jobs.Tests;

/// <summary>The guide's examples, run; and the guide, held to them.</summary>
public sealed class SchedulesGuideTests : JobsTest
{
    [Fact]
    public async Task The_guides_examples_do_what_it_says()
    {
        await using var guide = await GuideApp.StartAsync(App.RunAsync, Database);
        var schedules = guide.Services.GetRequiredService<JobSchedules>();

        var before = await schedules.ListAsync();
        await App.EditAsync(schedules, default);
        var after = (await schedules.ListAsync()).ToDictionary(s => s.Name, s => (s.State, s.IsOverridden));
        var sales = (await schedules.GetHistoryAsync("sales"))[0];

        var tidy = await schedules.RunNowAsync("Reports.Tidy");
        await using var payload = Database.DataSource.CreateCommand($"select input::text from keelback.run where id = {tidy}");

        Assert.Equal("""{"keepDays": 90}""", await payload.ExecuteScalarAsync());
        Assert.Equal(["heartbeat", "Reports.Tidy", "sales"], before.Select(s => s.Name).Order());
        Assert.Equal((JobScheduleState.Paused, false), after["heartbeat"]);
        Assert.Equal((JobScheduleState.Active, true), after["sales"]);
        Assert.Equal((JobScheduleState.Active, false), after["welcome"]);
        await guide.Jobs.WaitAsync(sales.Run!.Value);
        Assert.Equal(JobRunState.Succeeded, (await guide.Jobs.GetAsync(sales.Run.Value))!.State);
    }

    [Fact]
    public void Its_triggers_tick_and_its_options_are_what_they_say()
    {
        var newYear = new DateTimeOffset(2026, 12, 31, 0, 0, 0, TimeSpan.Zero);

        var ticks = App.Triggers().Select(trigger => trigger.TicksAfter(newYear).Take(3).Count());

        Assert.Equal([3, 3, 1, 3, 3, 3, 3], ticks);
        Assert.Equal((CatchUp.All, Overlap.Queue), (App.Options().CatchUp, App.Options().Overlap));
    }

    [Fact]
    public void Every_example_of_the_guide_is_one_that_is_run() => GuideText.IsRun("schedules", atLeast: 4, "Keelback.Jobs.Tests/Guide/SchedulesGuide.cs");
}
