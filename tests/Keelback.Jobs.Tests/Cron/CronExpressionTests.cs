using System.Globalization;

namespace Keelback.Jobs.Tests;

public sealed class CronExpressionTests
{
    [Theory]
    [InlineData("", "position 1: it has 0 fields. Write five (minute, hour, day of month, month, day of week), or six with seconds first.")]
    [InlineData("* * * *", "position 8: it has 4 fields. Write five (minute, hour, day of month, month, day of week), or six with seconds first.")]
    [InlineData("* * * * * * 2026", "position 13: it has 7 fields. Write five (minute, hour, day of month, month, day of week), or six with seconds first.")]
    [InlineData("@reboot", "position 1: '@reboot' is no macro. There are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly.")]
    [InlineData("61 * * * *", "minute, position 1: 61 is above 59. Give 0 to 59.")]
    [InlineData("60 * * * * *", "second, position 1: 60 is above 59. Give 0 to 59.")]
    [InlineData("0 24 * * *", "hour, position 3: 24 is above 23. Give 0 to 23.")]
    [InlineData("0 0 0 * *", "day of month, position 5: 0 is below 1. Give 1 to 31.")]
    [InlineData("0 0 32 * *", "day of month, position 5: 32 is above 31. Give 1 to 31.")]
    [InlineData("0 0 * 13 *", "month, position 7: 13 is above 12. Give 1 to 12, or JAN to DEC.")]
    [InlineData("0 0 * * 8", "day of week, position 9: 8 is above 7. Give 0 to 7, or SUN to SAT.")]
    [InlineData("0 0 * * MOO", "day of week, position 9: 'MOO' does not belong here. Give 0 to 7, or SUN to SAT, or '*'.")]
    [InlineData("0 0 * * 1,,2", "day of week, position 11: ',' does not belong here. Give 0 to 7, or SUN to SAT, or '*'.")]
    [InlineData("*/0 * * * *", "minute, position 3: a step of 0 never moves. Give 1 or more.")]
    [InlineData("*/ * * * *", "minute, position 3: it ends too early. Give 0 to 59.")]
    [InlineData("30-10 * * * *", "minute, position 4: the range ends before it begins. Write 30-59,0-10 for one that goes around.")]
    [InlineData("-5 * * * *", "minute, position 1: '-' does not belong here. Give 0 to 59, or '*'.")]
    [InlineData("99999999999 * * * *", "minute, position 1: 99999999999 is too large. Give 0 to 59.")]
    [InlineData("? * * * *", "minute, position 1: '?' is for the two fields of days. Write '*'.")]
    [InlineData("0 0 L-31 * *", "day of month, position 7: L-31 is before every month. Give L-1 to L-30.")]
    [InlineData("0 0 * * FRI#6", "day of week, position 13: no month has 6 of a day of the week. Give #1 to #5.")]
    [InlineData("0 0 * * L", "day of week, position 9: 'L' does not belong here. Give 0 to 7, or SUN to SAT, or '*'.")]
    [InlineData("0 0 15W-20 * *", "day of month, position 8: '-' does not belong here. Give 1 to 31, or '*'.")]
    [InlineData("H(5-70) * * * *", "minute, position 5: 70 is above 59. Give 0 to 59.")]
    [InlineData("H(9-5) * * * *", "minute, position 5: the range ends before it begins. Write 9-59,0-5 for one that goes around.")]
    [InlineData("0 0\0 * * *", "hour, position 4: '\0' does not belong here. Give 0 to 23, or '*'.")]
    [InlineData("0 ０ * * *", "hour, position 3: '０' does not belong here. Give 0 to 23, or '*'.")]
    public void A_mistake_is_told_with_its_field_and_its_position(string text, string message)
    {
        var e = Assert.Throws<KeelbackException>(() => CronExpression.Parse(text));

        Assert.Equal($"KB1220: cron '{text.Replace("\0", "\\u0000", StringComparison.Ordinal)}', {message}", e.Message);
        Assert.False(CronExpression.TryParse(text, out _));
    }

    [Theory]
    [InlineData("0 0 30 2 *")]
    [InlineData("0 0 31 4,6,9,11 *")]
    [InlineData("0 0 31W 2 ?")]
    public void What_no_year_has_is_refused_at_once(string text)
    {
        var e = Assert.Throws<KeelbackException>(() => CronExpression.Parse(text));

        Assert.Equal($"KB1221: cron '{text}' can never fire: no month has such a day. Give a day that exists, or 'L' for the month's last.", e.Message);
    }

    public static TheoryData<string, string, string, string> Cases()
    {
        var cases = new TheoryData<string, string, string, string>();
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Cron", "cases.txt")).Where(l => l.Length > 0 && l[0] != '#'))
        {
            var fields = line.Split('\t');
            cases.Add(fields[0], fields[1], fields[2], fields[3]);
        }

        return cases;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Ticks_are_those_of_the_table(string text, string zone, string after, string expected)
    {
        var (cron, at) = (CronExpression.Parse(text), DateTimeOffset.Parse(after, CultureInfo.InvariantCulture));
        var ticks = new List<string>();
        for (var count = expected.Count(c => c == ' ') + 1; count > 0; count--)
        {
            at = cron.Next(at, zone)!.Value;
            ticks.Add(at.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture));
        }

        Assert.Equal(expected, string.Join(' ', ticks));
    }

    [Theory]
    [InlineData("* * * * *", "every minute")]
    [InlineData("*/15 * * * *", "every 15 minutes")]
    [InlineData("5 * * * *", "at minute 5 of every hour")]
    [InlineData("0 0 * * *", "at 00:00 every day")]
    [InlineData("@hourly", "at minute 0 of every hour")]
    [InlineData("30 2,14 * * MON-FRI", "at 02:30 and 14:30 on Monday to Friday")]
    [InlineData("*/10 9-17 * * *", "every 10 minutes, in hours 9 to 17")]
    [InlineData("0 */2 * * *", "at minute 0, of every 2 hours")]
    [InlineData("0 0 1,15 * *", "at 00:00 on day 1 and day 15 of the month")]
    [InlineData("0 0 L * *", "at 00:00 on the last day of the month")]
    [InlineData("0 0 LW 1,7 *", "at 00:00 on the last weekday of the month in January and July")]
    [InlineData("0 12 15W * *", "at 12:00 on the weekday nearest to day 15 of the month")]
    [InlineData("0 9 * * FRI#2", "at 09:00 on the month's second Friday")]
    [InlineData("0 9 * * FRIL", "at 09:00 on the month's last Friday")]
    [InlineData("0 0 13 * FRI", "at 00:00 on day 13 of the month, and on Friday")]
    [InlineData("15 30 2 * * *", "at 02:30:15 every day")]
    [InlineData("*/5 * * * * *", "every 5 seconds")]
    [InlineData("30 5 * * * *", "at second 30, at minute 5 of every hour")]
    [InlineData("5/10 * * * *", "every 10 minutes from minute 5")]
    [InlineData("0-50/10 * * * *", "every 10 minutes")]
    [InlineData("*/45 * * * *", "at minutes 0 and 45 of every hour")] // 15 minutes after :45
    [InlineData("30/10 * * * *", "at minutes 30, 40 and 50 of every hour")]
    [InlineData("*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour")]
    [InlineData("10-58/2 * * * *", "at every 2nd minute from 10 to 58 of every hour")]
    [InlineData("*/40 * * * * *", "at seconds 0 and 40 of every minute")]
    [InlineData("*/100 * * * *", "at minute 0 of every hour")]
    [InlineData("1/2147483647 * * * *", "at minute 1 of every hour")]
    [InlineData("0 */5 * * *", "at 00:00, 05:00, 10:00, 15:00 and 20:00 every day")]
    [InlineData("*/10 */5 * * *", "every 10 minutes, in hours 0, 5, 10, 15 and 20")]
    [InlineData("0 0 * * 7/7", "at 00:00 on Sunday")]
    [InlineData("0 */24 * * *", "at 00:00 every day")]
    [InlineData("0 0 1 */15 *", "at 00:00 on day 1 of the month in January")]
    public void An_expression_is_said_in_words(string text, string words) => Assert.Equal(words, CronExpression.Parse(text).Describe());

    [Fact]
    public void H_picks_the_same_moment_for_a_name_and_spreads_names()
    {
        var picked = Enumerable.Range(0, 500).Select(i => CronExpression.Parse("H H * * *", $"schedule-{i}")).ToList();
        var first = picked.ConvertAll(cron => cron.Next(DateTimeOffset.UnixEpoch)!.Value);

        Assert.Equal(first[7], CronExpression.Parse("H H * * *", "schedule-7").Next(DateTimeOffset.UnixEpoch));
        Assert.InRange(first.Distinct().Count(), 350, 500);
        Assert.InRange(first.Select(f => f.Hour).Distinct().Count(), 24, 24);
    }

    [Theory]
    [InlineData("H(10-20) * * * *", 10, 20)]
    [InlineData("H/30 * * * *", 0, 59)]
    public void H_keeps_to_its_range_and_its_step(string text, int from, int to)
    {
        for (var i = 0; i < 200; i++)
        {
            var cron = CronExpression.Parse(text, $"{i}");
            var first = cron.Next(DateTimeOffset.UnixEpoch)!.Value;
            Assert.InRange(first.Minute, from, to);
            if (text.Contains('/', StringComparison.Ordinal)) Assert.Equal(30, (cron.Next(first)!.Value - first).TotalMinutes);
        }
    }

    [Fact]
    public void The_ends_of_time_have_no_next_and_no_previous()
    {
        var cron = CronExpression.Parse("0 0 1 1 *");

        Assert.Null(cron.Next(DateTimeOffset.MaxValue));
        Assert.Null(cron.Previous(DateTimeOffset.MinValue));
        Assert.Equal(2, cron.Next(DateTimeOffset.MinValue)!.Value.Year);
        Assert.NotNull(cron.Previous(DateTimeOffset.MaxValue));
    }

    [Fact]
    public void A_step_over_the_range_leaves_the_first_value_alone_as_in_crontab()
    {
        Assert.Equal(
            CronExpression.Parse("0 0 1 1 1").Fields.Select(field => field.Bits),
            CronExpression.Parse("*/60 */24 */2147483647 */13 1/2147483647").Fields.Select(field => field.Bits));
    }

    [Theory]
    [InlineData("Asia/Manila")] // -15:56 until 1844: DateTimeOffset ends at 14 hours
    [InlineData("America/New_York")] // -4:56:02 until 1883: DateTimeOffset has whole minutes
    public void Ticks_at_an_offset_that_a_DateTimeOffset_cannot_have_come_in_UTC(string zone)
    {
        var cron = CronExpression.Parse("0 0 * * *");

        var first = cron.Next(new(1800, 1, 1, 0, 0, 0, TimeSpan.Zero), zone)!.Value;
        var second = cron.Next(first, zone)!.Value;

        Assert.Equal((TimeSpan.Zero, TimeSpan.FromDays(1)), (first.Offset, second - first));
        Assert.Equal(first, cron.Previous(second, zone));
    }

    [Theory]
    [InlineData("PST", "")]
    [InlineData("CEST", "")]
    [InlineData("est", " Did you mean 'EST'?")]
    [InlineData("Rome", " Did you mean 'Europe/Rome'?")]
    [InlineData("Europe/Berln", " Did you mean 'Europe/Berlin'?")]
    public void Only_a_name_that_can_mean_nothing_else_is_suggested_for_a_zone(string zone, string hint)
    {
        var e = Assert.Throws<KeelbackException>(() => CronExpression.Parse("@daily").Next(DateTimeOffset.UnixEpoch, zone));

        Assert.Equal($"KB1222: There is no time zone '{zone}'.{hint} Give an IANA name such as 'Europe/Berlin', or 'UTC'.", e.Message);
    }

    [Fact]
    public void Fractions_of_a_second_do_not_hide_a_tick()
    {
        var cron = CronExpression.Parse("* * * * *");
        var tick = new DateTimeOffset(2026, 1, 1, 0, 1, 0, TimeSpan.Zero);

        Assert.Equal(tick, cron.Next(tick.AddTicks(-1)));
        Assert.Equal(tick.AddMinutes(1), cron.Next(tick));
        Assert.Equal(tick, cron.Previous(tick.AddTicks(1)));
        Assert.Equal(tick.AddMinutes(-1), cron.Previous(tick));
    }
}
