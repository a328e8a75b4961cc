using System.CommandLine;
using System.CommandLine.Parsing;
using Keelback.Web;

namespace Keelback;

/// <summary>What is wrong with a command line, in words for the person who typed it.</summary>
internal static class UsageComplaints
{
    public static IEnumerable<string> Of(ParseResult parsed, IReadOnlyList<string> words)
    {
        var command = parsed.CommandResult.Command;
        if (command.Subcommands.Count > 0) return [UnknownCommand(words[0], command)];

        return MistakenForArguments(parsed).Concat(parsed.UnmatchedTokens).Select(token => Unmatched(token, command))
            .Concat(parsed.Errors.Select(error => Misread(error, command)).OfType<string>())
            .Distinct();
    }

    /// <summary>Misspelt options that an argument would take for its value; after a bare <c>--</c> they are meant so.</summary>
    public static IEnumerable<string> MistakenForArguments(ParseResult parsed) =>
        parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash)
            ? []
            : from result in parsed.CommandResult.Children.OfType<ArgumentResult>()
              from token in result.Tokens
              where token.Value.StartsWith("--", StringComparison.Ordinal)
              select token.Value;

    private static string UnknownCommand(string word, System.CommandLine.Command root) =>
        $"There is no command '{word}'." + DidYouMean(word, root.Subcommands.Select(c => c.Name));

    private static string Unmatched(string token, System.CommandLine.Command command) => token.StartsWith('-')
        ? $"'{command.Name}' has no option '{token}'." + DidYouMean(token, command.Options.Select(o => o.Name))
        : $"'{command.Name}' takes no argument '{token}'.";

    private static string? Misread(ParseError error, System.CommandLine.Command command) => error.SymbolResult switch
    {
        ArgumentResult { Parent: OptionResult option } => Misread(option, command), // an option's value is an argument inside it
        OptionResult option => Misread(option, command),
        ArgumentResult { Tokens: [.., var token] } argument =>
            $"<{argument.Argument.Name}>: '{token.Value}' is not {TypeNames.Of(argument.Argument.ValueType)}.",
        ArgumentResult argument => $"'{command.Name}' needs <{argument.Argument.Name}>: {argument.Argument.Description}.",
        _ => null, // a word too many, told as unmatched
    };

    private static string Misread(OptionResult option, System.CommandLine.Command command) =>
        option.Tokens.Count > option.Option.Arity.MaximumNumberOfValues ? $"{option.Option.Name} is given more than once."
        : option.Tokens is [.., var token] ? $"{option.Option.Name}: '{token.Value}' is not {TypeNames.Of(option.Option.ValueType)}."
        : option.IdentifierToken is null ? $"'{command.Name}' needs {option.Option.Name}: {option.Option.Description}."
        : $"{option.Option.Name} needs a value: {option.Option.Description}.";

    private static string DidYouMean(string word, IEnumerable<string> names) =>
        NearestName.Of(word, names) is { } near ? $" Did you mean '{near}'?" : "";
}
