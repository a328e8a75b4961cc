namespace Keelback;

/// <summary>Splits the process's arguments: those that begin with <c>--</c> before a command are configuration.</summary>
/// <remarks><c>--urls http://*:80 worker --queues mail</c>: two of configuration, then the command. <c>--key=value</c> is one argument, <c>--key value</c> two.</remarks>
internal sealed record StartArguments(IReadOnlyList<string> Configuration, IReadOnlyList<string> Rest)
{
    /// <summary>Flags of the shell itself, which take no value and are not configuration.</summary>
    private static readonly string[] s_flags = ["--help", "--version", VerboseFlag];

    public const string VerboseFlag = "--verbose";

    public static StartArguments Split(IReadOnlyList<string> arguments)
    {
        var configuration = new List<string>();
        var flags = new List<string>();
        var next = 0;
        while (next < arguments.Count && arguments[next].StartsWith("--", StringComparison.Ordinal))
        {
            var argument = arguments[next++];
            if (s_flags.Contains(argument))
            {
                flags.Add(argument);
                continue;
            }

            configuration.Add(argument);
            if (!argument.Contains('=') && next < arguments.Count) configuration.Add(arguments[next++]);
        }

        // The shell's flags are understood before and after the command alike.
        return new(configuration, [.. arguments.Skip(next), .. flags]);
    }
}
