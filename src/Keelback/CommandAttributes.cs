namespace Keelback;

/// <summary>What a <see cref="Command"/> is called and does.</summary>
/// <param name="name">In lower case, words joined by hyphens: <c>import</c>, <c>send-digest</c>.</param>
/// <param name="description">One line for the help.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class CommandAttribute(string name, string description) : Attribute
{
    /// <summary>What the user types.</summary>
    public string Name { get; } = name;

    /// <summary>What the help says.</summary>
    public string Description { get; } = description;

    /// <summary>What must be running while the command runs. Default: nothing but its services.</summary>
    public CommandHost Host { get; set; } = CommandHost.None;
}

/// <summary>A positional argument of a <see cref="Command"/>; several come in the order in which the properties are declared.</summary>
/// <param name="description">One line for the help.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ArgumentAttribute(string description) : Attribute
{
    /// <summary>What the help says.</summary>
    public string Description { get; } = description;

    /// <summary>Default: the property's name, <c>ToFolder</c> as <c>to-folder</c>.</summary>
    public string? Name { get; set; }
}

/// <summary>An option of a <see cref="Command"/>: <c>--to-folder x</c>. A <c>bool</c> needs no value; a <c>string[]</c> takes <c>a,b</c> or is repeated.</summary>
/// <param name="description">One line for the help.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string description) : Attribute
{
    /// <summary>What the help says.</summary>
    public string Description { get; } = description;

    /// <summary>Default: the property's name, <c>ToFolder</c> as <c>--to-folder</c>. Without the hyphens.</summary>
    public string? Name { get; set; }

    /// <summary>One letter, for <c>-f</c>. Default: none.</summary>
    public char Short { get; set; }
}

/// <summary>What runs beside a command in its process.</summary>
public enum CommandHost
{
    /// <summary>Services only: no hosted service is started.</summary>
    None,

    /// <summary>The hosted services, so that jobs run; nothing listens for HTTP.</summary>
    Workers,

    /// <summary>Everything, HTTP included.</summary>
    Web,
}
