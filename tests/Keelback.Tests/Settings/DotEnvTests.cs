
namespace Keelback.Tests.Settings;

public class DotEnvTests
{
    [Theory]
    [InlineData("A=1", "1")]
    [InlineData("  A = 1  ", "1")]
    [InlineData("export A=1", "1")]
    [InlineData("A=", "")]
    [InlineData("A=one two # comment", "one two")]
    [InlineData("A=pass#word", "pass#word")]
    [InlineData("A=#nothing", "")]
    [InlineData("A='it # stays $HOME \\n'", "it # stays $HOME \\n")]
    [InlineData("A=\"two\\nlines \\\"quoted\\\" \\$x \\\\ \\d\"  # comment", "two\nlines \"quoted\" $x \\ \\d")]
    [InlineData("A=\"over\nlines\"", "over\nlines")]
    [InlineData("A=first\nA=last", "last")]
    [InlineData("\uFEFF# comment\r\n\r\nA=1\r\n", "1")]
    [InlineData("A=Host=db;Password=x=y", "Host=db;Password=x=y")]
    public void A_value_is_read_as_a_shell_would(string text, string value)
    {
        var file = DotEnv.Parse(text);

        Assert.Empty(file.Mistakes);
        Assert.Equal(new Dictionary<string, string> { ["A"] = value }, file.Values);
    }

    [Fact]
    public void Every_mistake_has_its_line_and_the_good_lines_count()
    {
        var file = DotEnv.Parse(
            """
            GOOD=1
            no equals sign
            =value
            9LIVES=cat
            ML="two
            lines"
            TAIL="x" y
            OPEN='never closed
            ALSO=2
            """);

        Assert.Equal(
            [
                (2, "expected '=' after no"),
                (3, "expected KEY=value"),
                (4, "the name '9LIVES' begins with a digit"),
                (7, "there is text after the closing quote"),
                (8, "the quote ' is not closed"),
            ],
            file.Mistakes);
        Assert.Equal(["GOOD", "ML", "ALSO"], file.Values.Keys);
    }
}
