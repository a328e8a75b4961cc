using System.CommandLine;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Keelback;

/// <summary>What a command's class says about its command line.</summary>
internal sealed class CommandShape
{
    private CommandShape(Type type, CommandAttribute about, IReadOnlyList<BoundSymbol> symbols) =>
        (Type, About, Symbols) = (type, about, symbols);

    public Type Type { get; }

    public CommandAttribute About { get; }

    public IReadOnlyList<BoundSymbol> Symbols { get; }

    public static CommandShape Of(Type type)
    {
        var about = type.GetCustomAttribute<CommandAttribute>() ?? throw KeelbackErrors.NoCommandAttribute(type);
        var symbols =
            from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            orderby property.MetadataToken // the order of declaration, which is the order of arguments
            let symbol = BoundSymbol.Of(property)
            where symbol is not null
            select symbol;

        return new(type, about, [.. symbols]);
    }

    /// <summary>The same in System.CommandLine's terms.</summary>
    public System.CommandLine.Command ToCommand()
    {
        var command = new System.CommandLine.Command(About.Name, About.Description);
        foreach (var bound in Symbols)
        {
            if (bound.Symbol is Option option) command.Add(option);
            else command.Add((Argument)bound.Symbol);
        }

        return command;
    }
}

/// <summary>One property and its place on the command line.</summary>
internal sealed class BoundSymbol(PropertyInfo property, Symbol symbol, Func<ParseResult, object?> read)
{
    public Symbol Symbol { get; } = symbol;

    public PropertyInfo Property { get; } = property;

    /// <summary>What the user sees: <c>--count</c> or <c>&lt;folder&gt;</c>.</summary>
    public string Shown => Symbol is Argument ? $"<{Symbol.Name}>" : Symbol.Name;

    public static BoundSymbol? Of(PropertyInfo property)
    {
        if (!property.IsDefined(typeof(ArgumentAttribute)) && !property.IsDefined(typeof(OptionAttribute))) return null;
        if (property.SetMethod is not { IsPublic: true }) throw KeelbackErrors.PropertyNotSettable(property.DeclaringType!, property.Name);

        var make = typeof(BoundSymbol).GetMethod(nameof(Make), BindingFlags.NonPublic | BindingFlags.Static)!;
        return (BoundSymbol)make.MakeGenericMethod(property.PropertyType).Invoke(null, [property])!;
    }

    /// <summary>Sets the property when the user gave a value; else its initialiser's value stays.</summary>
    public void Bind(ParseResult parsed, Command command)
    {
        var given = Symbol is Option option ? parsed.GetResult(option) is { Implicit: false } : parsed.GetResult((Argument)Symbol) is { Tokens.Count: > 0 };
        if (given) Property.SetValue(command, read(parsed));
    }

    private static BoundSymbol Make<T>(PropertyInfo property)
    {
        var required = property.IsDefined(typeof(RequiredMemberAttribute));
        if (property.GetCustomAttribute<ArgumentAttribute>() is { } about)
        {
            var argument = new Argument<T>(about.Name ?? Kebab(property.Name)) { Description = about.Description };
            argument.Arity = argument.Arity.MaximumNumberOfValues > 1
                ? required ? ArgumentArity.OneOrMore : ArgumentArity.ZeroOrMore
                : required ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne;
            return new(property, argument, parsed => parsed.GetValue(argument));
        }

        var described = property.GetCustomAttribute<OptionAttribute>()!;
        var option = new Option<T>("--" + (described.Name ?? Kebab(property.Name))) { Description = described.Description, Required = required };
        if (described.Short != default) option.Aliases.Add("-" + described.Short);

        return new(property, option, parsed => SplitCommas(parsed.GetValue(option)));
    }

    private static object? SplitCommas(object? value) => value is string[] texts
        ? texts.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToArray()
        : value;

    private static string Kebab(string name) => string.Concat(name.Select((letter, i) =>
        char.IsUpper(letter) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
