using System.ComponentModel.DataAnnotations;

namespace Keelback.Tests.Commands;

public class ShellTests
{
    [Fact]
    public async Task A_command_gets_its_arguments_its_options_and_its_services()
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        var code = await app.RunAsync("load", "/data", "extra", "--batch", "7", "--only", "a,b", "--only", "c", "--strict", "--pause", "00:00:02");

        Assert.Equal(0, code);
        Assert.Equal("/data+extra batch=7 only=a|b|c strict=True pause=00:00:02 env=Production\n", app.Output);
    }

    [Fact]
    public async Task An_argument_that_begins_with_an_at_sign_is_no_file_of_arguments()
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        var code = await app.RunAsync("load", "@data", "--only", "@a,@b");

        Assert.Equal((0, "@data batch=5 only=@a|@b strict=False pause= env=Production\n"), (code, app.Output));
    }

    [Fact]
    public async Task What_is_not_given_keeps_the_initialisers_value()
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        await app.RunAsync("load", "/data");

        Assert.Equal("/data batch=5 only=all strict=False pause= env=Production\n", app.Output);
    }

    [Fact]
    public async Task Configuration_before_the_command_is_read_by_the_host()
    {
        using var app = new ShellApp(k => k.AddCommand<ShowCommand>());

        var code = await app.RunAsync("--Shop:Name=Ada", "--color", "red", "show");

        Assert.Equal((0, "Ada red\n"), (code, app.Output));
    }

    [Theory]
    [InlineData("load", "'load' needs <folder>: Where the files are.")]
    [InlineData("load x --batch abc", "--batch: 'abc' is not a whole number from -2147483648 to 2147483647.")]
    [InlineData("load x --batch", "--batch needs a value: Rows at once.")]
    [InlineData("load x --batch 1 --batch 2", "--batch is given more than once.")]
    [InlineData("load x --bach 3", "'load' has no option '--bach'. Did you mean '--batch'?\n'load' takes no argument '3'.")]
    [InlineData("load x --strickt", "'load' has no option '--strickt'. Did you mean '--strict'?")]
    [InlineData("load x y z", "'load' takes no argument 'z'.")]
    [InlineData("load x --pause soon", "--pause: 'soon' is not a duration such as 01:30:00.")]
    public async Task Wrong_usage_is_told_and_ends_with_2(string line, string complaint)
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        var code = await app.RunAsync(line.Split(' '));

        Assert.Equal(2, code);
        Assert.Equal($"{complaint}\n'load --help' lists what there is.\n", app.Error);
        Assert.Empty(app.Output);
    }

    [Theory]
    [InlineData("laod x", "There is no command 'laod'. Did you mean 'load'?")]
    [InlineData("xyzzy", "There is no command 'xyzzy'.")]
    [InlineData("help laod", "There is no command 'laod'. Did you mean 'load'?")]
    public async Task An_unknown_command_is_told_with_the_nearest_name(string line, string complaint)
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        var code = await app.RunAsync(line.Split(' '));

        Assert.Equal((2, $"{complaint}\n'--help' lists what there is.\n"), (code, app.Error));
    }

    [Fact]
    public async Task Rules_of_options_are_checked_before_the_command_runs()
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        var code = await app.RunAsync("load", "x", "--batch", "5000");

        Assert.Equal((2, "The field --batch must be between 1 and 1000. It is '5000'.\n", ""), (code, app.Error, app.Output));
    }

    [Fact]
    public async Task The_help_lists_every_command()
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        var code = await app.RunAsync("help");

        Assert.Equal(0, code);
        foreach (var name in (string[])["load", "serve", "worker", "check", "settings"]) Assert.Contains($"\n  {name}", app.Output);
        Assert.Contains("Load the files of a folder", app.Output);
    }

    [Fact]
    public async Task The_help_of_a_command_lists_its_options()
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>());

        await app.RunAsync("help", "load");

        Assert.Contains("-b, --batch <batch>", app.Output);
        Assert.Contains("<folder>  Where the files are", app.Output);
    }

    [Fact]
    public async Task A_known_failure_is_its_message_alone()
    {
        using var app = new ShellApp(k => k.AddCommand<FailCommand>());

        var code = await app.RunAsync("fail", "--how", "known");

        Assert.Equal((1, "KB9999: The till is empty. Fill it.\n"), (code, app.Error));
    }

    [Fact]
    public async Task An_unexpected_failure_is_short_unless_verbose()
    {
        using var app = new ShellApp(k => k.AddCommand<FailCommand>());
        using var verbose = new ShellApp(k => k.AddCommand<FailCommand>());

        var code = await app.RunAsync("fail", "--how", "unexpected");
        await verbose.RunAsync("--verbose", "fail", "--how", "unexpected");

        Assert.Equal((1, "InvalidOperationException: boom (--verbose shows where)\n"), (code, app.Error));
        Assert.Contains("at Keelback.Tests.Commands.ShellTests.FailCommand.RunAsync", verbose.Error);
    }

    [Fact]
    public async Task A_command_that_is_interrupted_ends_with_130()
    {
        using var app = new ShellApp(k => k.AddCommand<FailCommand>());
        using var interrupt = new CancellationTokenSource();
        FailCommand.Waiting = interrupt.Cancel;

        var code = await app.RunAsync(interrupt.Token, "fail", "--how", "wait");

        Assert.Equal(130, code);
    }

    [Fact]
    public async Task Two_commands_of_one_name_are_a_mistake()
    {
        using var app = new ShellApp(k => k.AddCommand<LoadCommand>().AddCommand<OtherLoadCommand>());

        var mistake = await Assert.ThrowsAsync<KeelbackException>(() => app.RunAsync("help"));

        Assert.Equal("KB1507", mistake.Code);
    }

    [Fact]
    public void A_class_that_says_nothing_is_no_command()
    {
        using var app = new ShellApp(k => k.AddCommand<NamelessCommand>());

        Assert.Equal("KB1508", Assert.Throws<KeelbackException>(() => app.Build()).Code);
    }

    [Fact]
    public void An_option_that_cannot_be_set_is_a_mistake()
    {
        using var app = new ShellApp(k => k.AddCommand<FixedCommand>());

        Assert.Equal("KB1517", Assert.Throws<KeelbackException>(() => app.Build()).Code);
    }

    [Command("load", "Load the files of a folder")]
    public sealed class LoadCommand(Microsoft.Extensions.Hosting.IHostEnvironment environment) : Command
    {
        [Argument("Where the files are")]
        public required DirectoryInfo Folder { get; init; }

        [Argument("More")]
        public string? More { get; init; }

        [Option("Rows at once", Short = 'b'), Range(1, 1000)]
        public int Batch { get; init; } = 5;

        [Option("Only these")]
        public string[] Only { get; init; } = ["all"];

        [Option("Stop at the first mistake")]
        public bool Strict { get; init; }

        [Option("Between two files")]
        public TimeSpan? Pause { get; init; }

        public override async Task<int> RunAsync(CancellationToken ct)
        {
            var places = More is null ? $"{Folder}" : $"{Folder}+{More}";
            await Output.WriteLineAsync(
                $"{places} batch={Batch} only={string.Join('|', Only)} strict={Strict} pause={Pause} env={environment.EnvironmentName}");
            return 0;
        }
    }

    [Command("load", "Another")]
    public sealed class OtherLoadCommand : Command
    {
        public override Task<int> RunAsync(CancellationToken ct) => Task.FromResult(0);
    }

    public sealed class NamelessCommand : Command
    {
        public override Task<int> RunAsync(CancellationToken ct) => Task.FromResult(0);
    }

    [Command("fixed", "Cannot be set")]
    public sealed class FixedCommand : Command
    {
        [Option("Never")]
        public int Size { get; } = 1;

        public override Task<int> RunAsync(CancellationToken ct) => Task.FromResult(0);
    }

    [Command("show", "Show two settings")]
    public sealed class ShowCommand(Microsoft.Extensions.Configuration.IConfiguration configuration) : Command
    {
        public override async Task<int> RunAsync(CancellationToken ct)
        {
            await Output.WriteLineAsync($"{configuration["Shop:Name"]} {configuration["color"]}");
            return 0;
        }
    }

    [Command("fail", "Fail")]
    public sealed class FailCommand : Command
    {
        public static Action? Waiting { get; set; }

        [Option("Which way")]
        public required string How { get; init; }

        public override async Task<int> RunAsync(CancellationToken ct)
        {
            if (How == "known") throw new KeelbackException("KB9999", "The till is empty. Fill it.");
            if (How == "unexpected") throw new InvalidOperationException("boom");

            Waiting?.Invoke();
            await Task.Delay(Timeout.Infinite, ct);
            return 0;
        }
    }
}
