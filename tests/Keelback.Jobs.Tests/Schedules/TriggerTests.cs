using NodaTime;

namespace Keelback.Jobs.Tests.Schedules;

/// <summary>When triggers tick.</summary>
public sealed class TriggerTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero); // a Monday

    [Fact]
    public void An_interval_counts_from_when_it_was_made_from_its_start_or_from_round_times()
    {
        var five = TimeSpan.FromMinutes(5);
        var made = s_noon.AddSeconds(90);

        Assert.Equal(["12:06:30", "12:11:30"], Times(Trigger.Every(five), made));
        Assert.Equal(["12:05:00", "12:10:00"], Times(Trigger.Every(five, aligned: true), made));
        Assert.Equal(["12:03:00", "12:08:00"], Times(Trigger.Every(five), made, new() { Start = s_noon.AddMinutes(3) }));
        Assert.Equal(["12:13:00", "12:18:00"], Times(Trigger.Every(five), made, new() { Start = s_noon.AddMinutes(3) }, after: s_noon.AddMinutes(10)));
    }

    [Fact]
    public void At_the_ends_of_the_calendar_every_trigger_goes_on_or_ends()
    {
        foreach (var zone in new[] { "UTC", "Pacific/Kiritimati", "America/New_York", "Asia/Manila" })
        {
            Trigger[] triggers =
            [
                Trigger.Cron("@daily", zone), Trigger.EveryDays(1, new(0, 0), zone), Trigger.EveryWeeks(1, [DayOfWeek.Monday], new(23, 59), zone), Trigger.EveryMonths(1, 1, new(0, 0), zone),
                Trigger.Solar(SolarEvent.Noon, 0, 180), Trigger.Every(TimeSpan.FromDays(1), aligned: true),
            ];
            foreach (var trigger in triggers)
            {
                Assert.Equal(2, trigger.TicksAfter(DateTimeOffset.MinValue).Take(2).Distinct().Count());
                Assert.Empty(trigger.TicksAfter(DateTimeOffset.MaxValue));
            }
        }
    }

    [Fact]
    public void An_interval_keeps_its_rate_when_clocks_go_back_and_forward()
    {
        foreach (var change in new[] { new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 10, 25, 1, 0, 0, TimeSpan.Zero) })
        {
            var ticks = Trigger.Every(TimeSpan.FromMinutes(20)).TicksAfter(change.AddHours(-3)).TakeWhile(t => t < change.AddHours(3)).ToList();
            Assert.Equal(17, ticks.Count);
            Assert.All(ticks.Zip(ticks.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(20), pair.Second - pair.First));
        }
    }

    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("Africa/Casablanca")]
    [InlineData("Asia/Tehran")]
    public void A_year_of_half_past_two_ticks_once_a_day_by_cron_and_by_calendar(string zone)
    {
        var clocks = DateTimeZoneProviders.Tzdb[zone];
        foreach (var year in new[] { 2021, 2026, 2028 })
        {
            var expected = Enumerable.Range(0, DateTime.IsLeapYear(year) ? 366 : 365)
                .Select(day => FirstMinute(clocks, new LocalDate(year, 1, 1).PlusDays(day), new(2, 30))).ToList();
            var before = expected[0].AddMinutes(-1);

            foreach (var trigger in new[] { Trigger.Cron("30 2 * * *", zone), Trigger.EveryDays(1, new(2, 30), zone) })
                Assert.Equal(expected, trigger.TicksAfter(before).Take(expected.Count));
        }
    }

    [Fact]
    public void Calendar_intervals_count_days_weeks_and_months()
    {
        var ten = new TimeOnly(10, 0);

        Assert.Equal(["03-03", "03-06", "03-09"], Dates(Trigger.EveryDays(3, ten, from: new(2026, 2, 28))));
        Assert.Equal(["03-09 Mon", "03-12 Thu", "03-23 Mon", "03-26 Thu"],
            Dates(Trigger.EveryWeeks(2, [System.DayOfWeek.Monday, System.DayOfWeek.Thursday], ten, from: new(2026, 2, 25)), "MM-dd ddd", 4));
        Assert.Equal(["03-08 Sun", "03-15 Sun"], Dates(Trigger.EveryWeeks(1, [System.DayOfWeek.Sunday], ten), "MM-dd ddd", 2));
        Assert.Equal(["03-31", "04-30", "05-31"], Dates(Trigger.EveryMonths(1, 31, ten)));
        Assert.Equal(["03-31", "06-30", "09-30"], Dates(Trigger.EveryMonths(3, -1, ten)));
        Assert.Equal(["2027-02-28", "2028-02-29", "2029-02-28"], Dates(Trigger.EveryMonths(12, 29, ten, from: new(2026, 2, 1)), "yyyy-MM-dd"));
        Assert.Equal(["2026-03-02T15:00", "2026-03-09T14:00"], // New York's clocks go forward on the 8th
            Trigger.EveryWeeks(1, [System.DayOfWeek.Monday], ten, "America/New_York").TicksAfter(s_noon).Take(2).Select(t => $"{t.UtcDateTime:yyyy-MM-dd'T'HH:mm}"));
    }

    [Fact]
    public void Combinations_tick_with_any_or_with_all()
    {
        var any = Trigger.Any(Trigger.Cron("0 * * * *"), Trigger.Every(TimeSpan.FromMinutes(30), aligned: true), Trigger.Once(s_noon.AddMinutes(7)));
        var firstMondays = Trigger.All(Trigger.Cron("0 9 1-7 * *"), Trigger.Cron("0 9 * * MON"));
        var workingHours = Trigger.All(Trigger.Every(TimeSpan.FromMinutes(45), aligned: true), Trigger.Cron("* 9-16 * * MON-FRI"));

        Assert.Equal(["12:07:00", "12:30:00", "13:00:00", "13:30:00"], Times(any, s_noon, count: 4));
        Assert.Equal(["04-06", "05-04", "06-01"], Dates(firstMondays));
        Assert.Equal(
            Trigger.Every(TimeSpan.FromMinutes(45), aligned: true).TicksAfter(s_noon).Take(2000).Where(t => t.Hour is >= 9 and <= 16 && t.DayOfWeek is not (System.DayOfWeek.Saturday or System.DayOfWeek.Sunday)).Take(300),
            workingHours.TicksAfter(s_noon).Take(300));
    }

    [Fact]
    public void On_holidays_ticks_are_left_out_or_moved_to_the_next_working_day()
    {
        var weekend = new HolidayCalendar
        {
            Weekdays = [System.DayOfWeek.Saturday, System.DayOfWeek.Sunday],
            Dates = [new(2026, 4, 3), new(2026, 4, 6)], // Good Friday and Easter Monday
            Yearly = [new(5, 1)],
        };
        var april = new DateTimeOffset(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

        Assert.Equal(["04-02 10:00", "04-07 10:00", "04-08 10:00"],
            Dates(Trigger.Cron("0 10 * * *"), "MM-dd HH:mm", 3, new() { Holidays = weekend }, april));
        Assert.Equal(["04-30", "05-04"], Dates(Trigger.Cron("0 10 * * *"), "MM-dd", 2, new() { Holidays = weekend }, new(2026, 4, 29, 12, 0, 0, TimeSpan.Zero)));

        // Every other Friday at 22:00 and Sunday at 08:00: what falls on Easter comes on Tuesday, earlier times first.
        var trigger = Trigger.Any(Trigger.Cron("0 22 * * FRI"), Trigger.Cron("0 8 * * SUN"), Trigger.Cron("0 8 * * TUE"));
        var moved = new ScheduleOptions { Holidays = weekend, OnHoliday = OnHoliday.NextWorkingDay };
        string[] expected = ["04-07 08:00", "04-07 22:00", "04-10 22:00", "04-13 08:00", "04-14 08:00", "04-17 22:00"];
        Assert.Equal(expected, Dates(trigger, "MM-dd HH:mm", 6, moved, april));
        var source = new TickSource(trigger, moved, "", april);
        Assert.Equal("04-07 22:00", $"{source.Next(new(2026, 4, 7, 8, 0, 0, TimeSpan.Zero)):MM-dd HH:mm}");
        Assert.Equal("04-07 08:00", $"{source.Next(new(2026, 4, 5, 3, 0, 0, TimeSpan.Zero)):MM-dd HH:mm}");
    }

    [Theory]
    [InlineData("Europe/Berlin", 2026, 3, 29)] // the clocks go forward
    [InlineData("America/New_York", 2026, 11, 1)] // and back
    [InlineData("Australia/Lord_Howe", 2026, 4, 5)] // by half an hour
    [InlineData("Africa/Casablanca", 2026, 2, 15)]
    [InlineData("UTC", 2026, 6, 1)]
    public void Moved_ticks_are_those_of_all_days_off_put_in_order(string zone, int year, int month, int day)
    {
        var random = new Random(year + month);
        var middle = new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero);
        foreach (var cron in new[] { "7,37 * * * *", "30 1,2 * * *", "0 */5 * * SUN,MON", "15 0,23 1,15 * *" })
        {
            var off = Enumerable.Range(-12, 24).Select(i => DateOnly.FromDateTime(middle.UtcDateTime).AddDays(i)).Where(_ => random.Next(3) > 0).ToHashSet();
            var options = new ScheduleOptions { OnHoliday = OnHoliday.NextWorkingDay, Holidays = new() { Dates = [.. off] } };
            var trigger = Trigger.Cron(cron, zone);
            var from = middle.AddDays(-10).AddMinutes(random.Next(20_000));

            var moved = trigger.TicksAfter(middle.AddDays(-60)).TakeWhile(tick => tick < middle.AddDays(90)).Select(tick => Moved(tick, zone, off)).Where(tick => tick > from).Distinct().Order().TakeWhile(tick => tick < middle.AddDays(60));
            Assert.Equal(moved.Take(500), new TickSource(trigger, options, "", middle).After(from).TakeWhile(tick => tick < middle.AddDays(60)).Take(500));
        }
    }

    private static DateTimeOffset Moved(DateTimeOffset tick, string zone, HashSet<DateOnly> off)
    {
        var clocks = NodaTime.DateTimeZoneProviders.Tzdb[zone];
        var local = NodaTime.Instant.FromDateTimeOffset(tick).InZone(clocks).LocalDateTime;
        if (!off.Contains(local.Date.ToDateOnly())) return tick;

        while (off.Contains(local.Date.ToDateOnly())) local = local.PlusDays(1);
        return clocks.AtLeniently(local).ToDateTimeOffset();
    }

    [Fact]
    public void A_tick_after_days_off_is_found_without_all_of_theirs()
    {
        var looked = 0;
        var everySecond = new CountedTrigger(() => looked++);
        var options = new ScheduleOptions { OnHoliday = OnHoliday.NextWorkingDay, Holidays = new() { Weekdays = [System.DayOfWeek.Saturday, System.DayOfWeek.Sunday] } };
        var monday = new DateTimeOffset(2026, 6, 1, 15, 0, 0, TimeSpan.Zero);

        Assert.Equal(monday.AddSeconds(1), new TickSource(everySecond, options, "", monday).Next(monday));

        Assert.InRange(looked, 1, 10);
    }

    private sealed record CountedTrigger(Action Looked) : Trigger
    {
        internal override string Words => "each second";

        internal override DateTimeOffset? Next(DateTimeOffset after, TickOrigin origin)
        {
            Looked();
            return Trigger.Every(TimeSpan.FromSeconds(1), aligned: true).Next(after, origin);
        }
    }

    // Times as almanacs print them, to the minute: NOAA's calculator and the local papers differ by one now and then.
    [Theory]
    [InlineData(SolarEvent.Sunrise, 51.5074, -0.1278, "2024-06-21", "03:43")]
    [InlineData(SolarEvent.Sunset, 51.5074, -0.1278, "2024-06-21", "20:21")]
    [InlineData(SolarEvent.Sunrise, 52.52, 13.405, "2023-12-21", "07:15")]
    [InlineData(SolarEvent.Sunset, 52.52, 13.405, "2023-12-21", "14:54")]
    [InlineData(SolarEvent.Sunrise, 40.7128, -74.006, "2024-06-20", "09:25")]
    [InlineData(SolarEvent.Sunset, 40.7128, -74.006, "2024-06-21", "00:30")]
    [InlineData(SolarEvent.Sunset, -33.8688, 151.2093, "2023-12-22", "09:05")]
    [InlineData(SolarEvent.Sunrise, -33.8688, 151.2093, "2023-12-21", "18:41")]
    [InlineData(SolarEvent.Noon, 0, 0, "2024-02-11", "12:14")] // the equation of time at its least,
    [InlineData(SolarEvent.Noon, 0, 0, "2024-11-03", "11:44")] // and at its greatest
    public void Solar_events_are_as_almanacs_have_them(SolarEvent what, double latitude, double longitude, string day, string time)
    {
        var expected = DateTimeOffset.Parse($"{day}T{time}:00Z", System.Globalization.CultureInfo.InvariantCulture);

        var tick = Trigger.Solar(what, latitude, longitude).TicksAfter(expected.AddHours(-12)).First();

        Assert.InRange((tick - expected).TotalMinutes, -2, 2);
    }

    [Fact]
    public void Solar_events_come_in_their_order_and_leave_out_polar_days()
    {
        var day = new DateTimeOffset(2026, 3, 20, 0, 0, 0, TimeSpan.Zero);
        var inOrder = Enum.GetValues<SolarEvent>().Select(what => Trigger.Solar(what, 48.1, 11.6).TicksAfter(day).First()).ToList();
        Assert.Equal(inOrder.Order(), inOrder);

        // Tromsø: no sunrise from the end of November to mid-January, none in summer, when it does not set.
        var sunrises = Trigger.Solar(SolarEvent.Sunrise, 69.6492, 18.9553).TicksAfter(new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero)).TakeWhile(t => t.Year == 2024).Select(t => t.Date).ToList();
        var gaps = sunrises.Zip(sunrises.Skip(1)).Where(pair => pair.Second - pair.First > TimeSpan.FromDays(2)).ToList();
        Assert.InRange(sunrises[0], new(2024, 1, 14), new(2024, 1, 17));
        Assert.InRange(sunrises[^1], new(2024, 11, 25), new(2024, 11, 28));
        var summer = Assert.Single(gaps);
        Assert.InRange(summer.First, new(2024, 5, 15), new(2024, 5, 20));
        Assert.InRange(summer.Second, new(2024, 7, 23), new(2024, 7, 29));

        Assert.Equal(366, Trigger.Solar(SolarEvent.Noon, -90, 0).TicksAfter(new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero)).TakeWhile(t => t.Year == 2024).Count());
        Assert.Empty(Trigger.Solar(SolarEvent.Sunrise, 90, 0).TicksAfter(new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero)));
    }

    [Fact]
    public void A_trigger_that_cannot_be_says_why()
    {
        static string Refused(Func<Trigger> make) => Assert.Throws<KeelbackException>(make).Message;

        Assert.Equal("KB1255: A trigger cannot be made so: an interval of -00:05:00 is not whole milliseconds between 1 second and 36,525 days.", Refused(() => Trigger.Every(TimeSpan.FromMinutes(-5))));
        Assert.StartsWith("KB1220: cron '61 * * * *', minute, position 1: ", Refused(() => Trigger.Cron("61 * * * *")));
        Assert.StartsWith("KB1221: cron '0 0 30 2 *' can never fire", Refused(() => Trigger.Cron("0 0 30 2 *")));
        Assert.Equal("KB1222: There is no time zone 'Europe/Berln'. Did you mean 'Europe/Berlin'? Give an IANA name such as 'Europe/Berlin', or 'UTC'.", Refused(() => Trigger.Cron("0 2 * * *", "Europe/Berln")));
        Assert.StartsWith("KB1255: A trigger cannot be made so: day 0 is neither", Refused(() => Trigger.EveryMonths(1, 0, default)));
        Assert.StartsWith("KB1255: A trigger cannot be made so: no day of the week", Refused(() => Trigger.EveryWeeks(1, [], default)));
        Assert.Equal("KB1255: A trigger cannot be made so: a latitude of 91.5 is not between -90 and 90 degrees.", Refused(() => Trigger.Solar(SolarEvent.Noon, 91.5, 0)));
        Assert.StartsWith("KB1255: A trigger cannot be made so: a combination of no triggers", Refused(() => Trigger.Any()));
    }

    // The first minute of the day's clocks at or after a time, found by looking at every minute.
    private static DateTimeOffset FirstMinute(DateTimeZone zone, LocalDate day, LocalTime time)
    {
        for (var at = zone.AtStartOfDay(day).ToInstant(); ; at += NodaTime.Duration.FromMinutes(1))
            if (at.InZone(zone).LocalDateTime >= day + time)
                return at.ToDateTimeOffset();
    }

    private static IEnumerable<string> Times(Trigger trigger, DateTimeOffset made, ScheduleOptions? options = null, DateTimeOffset? after = null, int count = 2) =>
        new TickSource(trigger, options ?? new(), "", made).After(after ?? made).Take(count).Select(t => $"{t:HH:mm:ss}");

    private static IEnumerable<string> Dates(
        Trigger trigger, string format = "MM-dd", int count = 3, ScheduleOptions? options = null, DateTimeOffset? after = null) =>
        new TickSource(trigger, options ?? new(), "", after ?? s_noon).After(after ?? s_noon).Take(count)
            .Select(t => t.ToString(format, System.Globalization.CultureInfo.InvariantCulture));
}
