using Keelback.Jobs;
using Keelback.Jobs.Tests;
using Microsoft.AspNetCore.Builder;

namespace Keelback.Guides.Schedules;

internal static class App
{
    public static Task RunAsync(string[] args, Action<WebApplication> built)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddGuide<Reports>();
        new KeelbackBuilder(builder).AddJobs(jobs =>
        {
            jobs.AddSchedule("sales", Trigger.Cron("0 2 * * *", "Europe/Berlin"), tick => Reports.Sales(tick.Previous, tick.At));
            jobs.AddSchedule("heartbeat", Trigger.Every(TimeSpan.FromMinutes(5)), () => Reports.Ping());
        });

        var app = builder.Build();
        built(app);
        app.Run();
        return Task.CompletedTask;
    }

    public static Trigger[] Triggers()
    {
        Trigger[] triggers =
        [
            Trigger.Cron("0 9-17 * * MON-FRI", "America/New_York"),       // five fields, or six with seconds first; L, W, #, H, @daily
            Trigger.Every(TimeSpan.FromMinutes(5)),                       // from when the schedule was made; aligned: true for :00, :05, :10
            Trigger.Once(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            Trigger.EveryWeeks(2, [DayOfWeek.Monday], at: new(10, 0), zone: "Europe/Berlin", from: new(2026, 1, 5)),
            Trigger.EveryMonths(1, day: -1, at: new(18, 0)),              // the month's last day
            Trigger.Solar(SolarEvent.CivilDusk, latitude: 52.52, longitude: 13.4),
            Trigger.All(Trigger.Cron("0 9 1-7 * *"), Trigger.Cron("0 9 * * MON")),   // the first Monday; Trigger.Any for either
        ];
        foreach (var trigger in triggers)
            Console.WriteLine($"{trigger}: {string.Join(", ", trigger.TicksAfter(DateTimeOffset.UtcNow).Take(3))}");
        return triggers;
    }

    public static ScheduleOptions Options()
    {
        var options = new ScheduleOptions
        {
            Jitter = TimeSpan.FromMinutes(10),          // each tick fires up to so much later, the same on every node; the tick's time stays
            Holidays = new HolidayCalendar { Weekdays = [DayOfWeek.Saturday, DayOfWeek.Sunday], Yearly = [new(12, 25)] },
            OnHoliday = OnHoliday.NextWorkingDay,       // or Skip
            CatchUp = CatchUp.All,                      // ticks that passed while no node ran: None, Latest (the default), All
            MisfireGrace = TimeSpan.FromHours(6),       // later than this a tick does not fire at all
            Overlap = Overlap.Queue,                    // the last run is still open: Allow (the default), Skip, Queue, CancelPrevious
        };
        Console.WriteLine(options);
        return options;
    }

    public static async Task EditAsync(JobSchedules edited, CancellationToken stopping)
    {
        await Edit(edited, stopping);

        async Task Edit(JobSchedules schedules, CancellationToken ct)
        {
            await schedules.AddAsync("welcome", Trigger.Cron("0 8 * * *"), Mails.Welcome("ada@example.com"), ct: ct);   // stored: graphs too
            await schedules.ChangeAsync("sales", Trigger.Cron("0 4 * * *", "Europe/Berlin"), ct: ct);                   // until ResetAsync("sales")
            await schedules.PauseAsync("heartbeat", ct);
            await schedules.RunNowAsync("sales", ct);

            foreach (var schedule in await schedules.ListAsync(ct))
                Console.WriteLine($"{schedule.Name}: {schedule.Trigger}, {schedule.State}, next {schedule.Next}");
            foreach (var tick in await schedules.GetHistoryAsync("sales", ct: ct))
                Console.WriteLine($"{tick.At}: {tick.Outcome} {tick.Run} {tick.Error}");
        }
    }
}

public sealed partial class Reports
{
    [Job]
    public Task Sales(DateTimeOffset? from, DateTimeOffset to, CancellationToken ct) => Task.CompletedTask;

    [Job]
    public Task Ping(CancellationToken ct) => Task.CompletedTask;

    [Job, Schedule("H 3 * * SUN", Zone = "Europe/Berlin", Overlap = Overlap.Skip)]   // no arguments: parameters need defaults
    public Task Tidy(int keepDays = 90, CancellationToken ct = default) => Task.CompletedTask;
}

public sealed partial class Mails
{
    [Job]
    public Task Welcome(string to, CancellationToken ct) => Task.CompletedTask;
}
