namespace Keelback.Jobs.Tests;

public sealed class CronTimeTests
{
    [Theory]
    [InlineData("2026-03-29")]
    [InlineData("2026-03-29T00:00")]
    [InlineData("2026-03-29 00:00:00")]
    [InlineData("20260329")]
    [InlineData("20260329T000000")]
    [InlineData("2026-03-29T00:00+01")]
    [InlineData("2026-03-29T00:00:00+01:00")]
    [InlineData("2026-03-28T23:00:00.000Z")]
    [InlineData("20260328T230000Z")]
    [InlineData("20260329T0000+0100")]
    public void Every_way_to_write_it_is_the_same_instant(string text) =>
        Assert.Equal(new(2026, 3, 28, 23, 0, 0, TimeSpan.Zero), CronTime.Parse(text, "Europe/Berlin"));

    [Theory]
    [InlineData("2026-01-01T00:00:00.1234567Z")]
    [InlineData("2026-01-01T00:00:00.123456789Z")]
    [InlineData("20260101T000000.1234567891234567891234+00")]
    public void Digits_after_the_seventh_are_cut(string text) => Assert.Equal(1234567, CronTime.Parse(text, "UTC").Ticks % TimeSpan.TicksPerSecond);

    [Theory]
    [InlineData("0001-01-01", "Europe/Berlin")] // 0000 in UTC
    [InlineData("0001-01-01T05:00:00+14:00", "UTC")]
    [InlineData("9999-12-31T23:59:59", "America/New_York")] // 10000 in UTC
    [InlineData("9999-12-31T23:59:59-01", "UTC")]
    [InlineData("10000-01-01", "UTC")]
    [InlineData("tomorrow", "UTC")]
    [InlineData("", "UTC")]
    public void What_is_in_no_calendar_is_refused_with_the_way_out(string text, string zone)
    {
        var e = Assert.Throws<KeelbackException>(() => CronTime.Parse(text, zone));

        Assert.Equal(
            $"KB1223: '{text}' is no point in time of the years 1 to 9999. " +
            "Write it as 2026-03-29T01:30:00+01:00, or without the offset as the zone's clocks show it.", e.Message);
    }

    [Theory]
    [InlineData("0001-01-01", "UTC", 0)]
    [InlineData("0001-01-01", "America/New_York", 17762)] // 4:56:02 west
    [InlineData("9999-12-31T23:59:59", "UTC", 315537897599)]
    public void The_ends_of_the_calendar_are_read_where_they_are_in_it(string text, string zone, long seconds) =>
        Assert.Equal(seconds, CronTime.Parse(text, zone).UtcTicks / TimeSpan.TicksPerSecond);
}
