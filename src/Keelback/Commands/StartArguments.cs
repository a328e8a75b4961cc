namespace Keelback;

/// <summary>The process's arguments: those that begin with <c>--</c> before a command are configuration, which the host has read.</summary>
/// <remarks><c>--urls http://*:80 worker --queues mail</c>: two of configuration, then the command. <c>--key=value</c> is one argument, <c>--key value</c> two.</remarks>
internal static class StartArguments
{
    public const string VerboseFlag = "--verbose";

    /// <summary>Flags of the shell itself, which take no value and are not configuration.</summary>
    private static readonly string[] s_flags = ["--help", "--version", VerboseFlag];

    /// <summary>The command and what is its, and the shell's own flags, which are understood before and after it alike.</summary>
    public static IReadOnlyList<string> WithoutConfiguration(IReadOnlyList<string> arguments)
    {
        var flags = new List<string>();
        var next = 0;
        while (next < arguments.Count && arguments[next].StartsWith("--", StringComparison.Ordinal))
        {
            var argument = arguments[next++];
            if (s_flags.Contains(argument)) flags.Add(argument);
            else if (!argument.Contains('=')) next++; // its value
        }

        return [.. arguments.Skip(next), .. flags];
    }
}
