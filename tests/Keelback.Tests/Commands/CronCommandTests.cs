namespace Keelback.Tests.Commands;

public class CronCommandTests
{
    [Fact]
    public async Task An_expression_is_said_in_words_before_its_ticks()
    {
        using var app = new ShellApp();

        var code = await app.RunAsync("cron", "30 2 * * *", "--zone", "Europe/Berlin", "--from", "2026-03-28T00:00", "--count", "3");

        Assert.Equal((0, ""), (code, app.Error));
        Assert.Equal(
            """
            at 02:30 every day (Europe/Berlin)
            2026-03-28T02:30:00+01:00
            2026-03-29T03:00:00+02:00
            2026-03-30T02:30:00+02:00

            """.ReplaceLineEndings("\n"), app.Output);
    }

    [Fact]
    public async Task Lines_are_answered_one_by_one_and_a_bad_one_does_not_stop_the_others()
    {
        using var app = new ShellApp
        {
            Input = "0 * * * *\tEurope/Berlin\t2026-10-25T00:30:00Z\t2\n61 * * * *\tUTC\t2026-01-01T00:00:00Z\t1\n@daily\tAmerica/New_York\t2026-01-01\t1\n",
        };

        var code = await app.RunAsync("cron", "-");

        Assert.Equal(1, code);
        Assert.Equal(
            """
            2026-10-25T02:00:00+01:00
            2026-10-25T03:00:00+01:00

            error: KB1220: cron '61 * * * *', minute, position 1: 61 is above 59. Give 0 to 59.

            2026-01-02T00:00:00-05:00

            """.ReplaceLineEndings("\n"), app.Output);
    }

    [Theory]
    [InlineData("--zone", "Europe/Berlin")]
    [InlineData("--from", "2026-01-01")]
    [InlineData("--count", "3")]
    [InlineData("--name", "x")]
    public async Task Lines_take_no_option_since_each_has_its_own(string option, string value)
    {
        using var app = new ShellApp { Input = "0 * * * *\tUTC\t2026-01-01\t1\n" };

        var code = await app.RunAsync("cron", "-", option, value);

        Assert.Equal((2, "", $"'cron -' takes no option '{option}': each line has its own zone, time and count, and no name.\n"), (code, app.Output, app.Error));
    }

    [Theory]
    [InlineData("* * * * *\tUTC\t2026-01-01", "KB1519: The line cannot be read: it has 3 fields. Give four, with tabs between them: EXPR, ZONE, FROM, COUNT.")]
    [InlineData("* * * * *\tUTC\t2026-01-01\t0", "KB1519: The line cannot be read: COUNT is '0'. Give 1 to 100000.")]
    [InlineData("* * * * *\tUTC\ttomorrow\t1", "KB1223: 'tomorrow' is no point in time of the years 1 to 9999. Write it as 2026-03-29T01:30:00+01:00, or without the offset as the zone's clocks show it.")]
    [InlineData("* * * * *\tberlin\t2026-01-01\t1", "KB1222: There is no time zone 'berlin'. Did you mean 'Europe/Berlin'? Give an IANA name such as 'Europe/Berlin', or 'UTC'.")]
    [InlineData("0 0 31 2 *\tUTC\t2026-01-01\t1", "KB1221: cron '0 0 31 2 *' can never fire: no month has such a day. Give a day that exists, or 'L' for the month's last.")]
    [InlineData("0 0 * * *\tEurope/Berlin\t0001-01-01\t1", "KB1223: '0001-01-01' is no point in time of the years 1 to 9999. Write it as 2026-03-29T01:30:00+01:00, or without the offset as the zone's clocks show it.")]
    [InlineData("", "KB1519: The line cannot be read: it has 1 fields. Give four, with tabs between them: EXPR, ZONE, FROM, COUNT.")]
    public async Task A_line_that_cannot_be_read_is_told_in_its_place(string line, string error)
    {
        using var app = new ShellApp { Input = line + "\n" };

        var code = await app.RunAsync("cron", "-");

        Assert.Equal((1, $"error: {error}\n"), (code, app.Output));
    }

    [Theory]
    [InlineData("@daily", "at 00:00 every day (UTC)\n2026-01-02T00:00:00+00:00\n")]
    [InlineData("@hourly", "at minute 0 of every hour (UTC)\n2026-01-01T01:00:00+00:00\n")]
    public async Task A_macro_is_an_expression(string macro, string answer)
    {
        using var app = new ShellApp();

        var code = await app.RunAsync("cron", macro, "--from", "2026-01-01", "--count", "1");

        Assert.Equal((0, answer, ""), (code, app.Output, app.Error));
    }

    [Fact]
    public async Task Whatever_a_line_holds_it_is_answered_in_its_place()
    {
        const int Lines = 1000;
        var random = new Random(20260101);
        using var app = new ShellApp { Input = string.Concat(Enumerable.Range(0, Lines).Select(_ => RandomLine(random) + (random.Next(2) == 0 ? "\n" : "\r\n"))) };

        var code = await app.RunAsync("cron", "-");

        Assert.Equal((1, ""), (code, app.Error));
        var answers = app.Output.Split('\n')[..^1];
        Assert.Equal(Lines - 1, answers.Count(line => line.Length == 0));
        Assert.All(answers.Where(line => line.Length > 0), line => Assert.Matches(@"^(error: KB\d{4}: .+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)$", line));
    }

    private static string RandomLine(Random random)
    {
        string Junk() => random.Next(50) == 0 ? new('9', random.Next(100_000))
            : string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => " */-,#?LWH0179zé\0\u0007\ud800"[random.Next(19)]));
        string Field(params string[] good) => random.Next(4) == 0 ? Junk() : good[random.Next(good.Length)];
        string[] fields =
        [
            Field("* * * * *", "*/7 * * * * *", "0 0 29 2 *", "@weekly", "H H L * *", "0 0 * * FRI#5", "1/2147483647 * * * *", "0 0 31 2 *"),
            Field("UTC", "Europe/Berlin", "America/New_York", "Asia/Manila", "Pacific/Kiritimati", "Africa/Monrovia", "PST", ""),
            Field("0001-01-01", "0001-01-03T12:00Z", "1800-01-01", "1844-12-31T12:00", "2026-03-29T02:30", "2026-01-01T00:00:00.123456789+01", "9989-12-31", "9999-12-31T23:59:59", ""),
            Field("1", "3", "0", "-1", "100000000", ""),
        ];
        return string.Join('\t', fields.Take(random.Next(20) == 0 ? random.Next(4) : 4));
    }

    [Fact]
    public async Task An_expression_that_cannot_be_read_ends_the_command_with_field_and_position()
    {
        using var app = new ShellApp();

        var code = await app.RunAsync("cron", "0 0 * JANUARY *");

        Assert.Equal((1, "", "KB1220: cron '0 0 * JANUARY *', month, position 10: 'UARY' does not belong here. Give 1 to 12, or JAN to DEC, or '*'.\n"),
            (code, app.Output, app.Error));
    }
}
