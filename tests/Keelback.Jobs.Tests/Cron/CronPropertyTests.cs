namespace Keelback.Jobs.Tests;

/// <summary>The engine against the minute-by-minute search, over two years and zones with every kind of change.</summary>
public sealed class CronPropertyTests
{
    private static readonly string[] s_zones =
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "America/Sao_Paulo", "Europe/London", "Pacific/Apia"];

    private static readonly string[] s_expressions =
    [
        "*/7 * * * *", "0 * * * *", "15,45 * * * *", "0 */2 * * *", "30 */3 * * *", "30 2 * * *", "0 2 * * *", "59 1 * * *", "0 3 * * *", "*/15 2 * * *",
        "10,50 1-3 * * *", "0 0 * * *", "30 0 * * *", "0 0 1 * *", "0 0 L * *", "0 12 L-2 * *", "0 12 LW * *", "0 12 15W * *", "0 12 1W * *", "0 12 31W * *", "0 9 * * MON-FRI",
        "0 9 * * FRIL", "0 9 * * FRI#2", "0 9 * * SUN#5", "0 0 13 * FRI", "0 0 */2 * FRI", "0 0 29 2 *", "0 0 31 * *", "0 0 1,15 * 3", "5 4 * * sun", "0 22 * * 1-5",
        "23 0-20/2 * * *", "0 2 28-31 3,10 7", "45 1 25-31 10 SUN", "30 1,2 * 11 *", "0 4 8-14 * *", "*/20 22-23 * * *",
    ];

    private static readonly DateTimeOffset s_from = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_to = s_from.AddYears(2);

    public static TheoryData<string> Zones => [.. s_zones];

    [Theory, MemberData(nameof(Zones))]
    public void Two_years_of_ticks_are_those_of_a_search_minute_by_minute(string zone)
    {
        var search = new CronBruteForce(zone, s_from, s_to);
        foreach (var text in s_expressions)
        {
            var (expression, expected) = (CronExpression.Parse(text), search.Ticks(text));
            var (forward, at) = (new List<DateTimeOffset>(), s_from.AddSeconds(-1));
            while (expression.Next(at, zone) is { } tick && tick < s_to) forward.Add(at = tick);
            var (backward, end) = (new List<DateTimeOffset>(), s_to);
            while (expression.Previous(end, zone) is { } tick && tick >= s_from) backward.Add(end = tick);
            backward.Reverse();

            AssertSame(expected, forward, $"{text} in {zone}, forward");
            AssertSame(expected, backward, $"{text} in {zone}, backward");
        }
    }

    private static void AssertSame(List<DateTimeOffset> expected, List<DateTimeOffset> actual, string what)
    {
        for (var i = 0; i < Math.Max(expected.Count, actual.Count); i++)
        {
            var (a, b) = (i < expected.Count ? expected[i].ToString("O") : "none", i < actual.Count ? actual[i].ToString("O") : "none");
            Assert.True(a == b, $"{what}, tick {i}: expected {a}, got {b}.");
        }
    }
}
