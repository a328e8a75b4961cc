namespace Keelback.Tests.Commands;

public class StartArgumentsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("worker --queues a,b", "worker --queues a,b")]
    [InlineData("--urls http://*:80 worker --queues a", "worker --queues a")]
    [InlineData("--urls=http://*:80 --environment=Staging import data", "import data")]
    [InlineData("--verbose --urls=x import", "import --verbose")]
    [InlineData("--urls", "")]
    [InlineData("--help", "--help")]
    [InlineData("-h", "-h")]
    public void What_begins_with_two_hyphens_before_the_command_is_configuration(string line, string rest)
    {
        var words = StartArguments.WithoutConfiguration(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(rest, string.Join(' ', words));
    }
}
