
namespace Keelback.Tests.Commands;

public class StartArgumentsTests
{
    [Theory]
    [InlineData("", "", "")]
    [InlineData("worker --queues a,b", "", "worker --queues a,b")]
    [InlineData("--urls http://*:80 worker --queues a", "--urls http://*:80", "worker --queues a")]
    [InlineData("--urls=http://*:80 --environment=Staging import data", "--urls=http://*:80 --environment=Staging", "import data")]
    [InlineData("--verbose --urls=x import", "--urls=x", "import --verbose")]
    [InlineData("--help", "", "--help")]
    [InlineData("-h", "", "-h")]
    public void What_begins_with_two_hyphens_before_the_command_is_configuration(string line, string configuration, string rest)
    {
        var split = StartArguments.Split(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(configuration, string.Join(' ', split.Configuration));
        Assert.Equal(rest, string.Join(' ', split.Rest));
    }
}
