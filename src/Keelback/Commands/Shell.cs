using System.CommandLine;
using Microsoft.Extensions.Hosting;

namespace Keelback;

/// <summary>From the process's arguments to an exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.</summary>
internal sealed class Shell
{
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int Interrupted = 130;

    private readonly IHost _app;
    private readonly Terminal _terminal;
    private readonly RootCommand _root;
    private readonly Option<bool> _verbose = new(StartArguments.VerboseFlag)
    {
        Description = "Show the log of a command, and stack traces of failures",
        Recursive = true,
    };

    public Shell(IHost app, IHostEnvironment environment, IEnumerable<CommandShape> shapes, Terminal terminal)
    {
        (_app, _terminal) = (app, terminal);
        _root = new($"{environment.ApplicationName}: without a command, it serves. Arguments that begin with -- before the command are configuration.");
        _root.Add(_verbose);

        var names = new Dictionary<string, CommandShape>();
        foreach (var shape in shapes.OrderBy(s => s.About.Name, StringComparer.Ordinal))
        {
            if (!names.TryAdd(shape.About.Name, shape))
                throw KeelbackErrors.TwoCommands(shape.About.Name, names[shape.About.Name].Type, shape.Type);

            var command = shape.ToCommand();
            command.SetAction((parsed, ct) => new CommandRun(_app, _terminal, shape).RunAsync(parsed, parsed.GetValue(_verbose), ct));
            _root.Add(command);
        }
    }

    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var words = Words(StartArguments.WithoutConfiguration(arguments));
        var parsed = _root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null }); // @daily is a cron expression, and no file
        if (parsed.Errors.Count > 0 || parsed.UnmatchedTokens.Count > 0 || UsageComplaints.MistakenForArguments(parsed).Any())
            return Complain(parsed, words);

        return await parsed.InvokeAsync(
            new()
            {
                Output = _terminal.Out,
                Error = _terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null, // signals are ours: a host that runs handles them itself
            },
            ct);
    }

    // Nothing to do but flags: serve. "help x" is "x --help".
    private static IReadOnlyList<string> Words(IReadOnlyList<string> rest) => rest switch
    {
        [] or [StartArguments.VerboseFlag] => [ServeCommand.CommandName, .. rest],
        ["help", ..] => [.. rest.Skip(1), "--help"],
        _ => rest,
    };

    private int Complain(ParseResult parsed, IReadOnlyList<string> words)
    {
        foreach (var complaint in UsageComplaints.Of(parsed, words)) _terminal.Error.WriteLine(complaint);

        var command = parsed.CommandResult.Command;
        var topic = command == _root ? "--help" : $"{command.Name} --help";
        _terminal.Error.WriteLine($"'{topic}' lists what there is.");

        return WrongUsage;
    }
}
