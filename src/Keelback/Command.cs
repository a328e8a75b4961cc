namespace Keelback;

/// <summary>A command of the app: <c>store import data/</c>. A class with its services in the constructor, and its options as properties.</summary>
/// <remarks>
/// <see cref="CommandAttribute"/> on the class says what it does; <see cref="ArgumentAttribute"/> and <see cref="OptionAttribute"/>
/// on settable properties make the command line. <c>required</c> means that the user must give it; otherwise the initialiser's value
/// stays. Attributes of System.ComponentModel.DataAnnotations are checked before the command runs. Added by <c>AddCommand</c>.
/// </remarks>
public abstract class Command
{
    /// <summary>What is piped in. Default: standard input; in tests, what the test gives.</summary>
    public TextReader Input { get; internal set; } = TextReader.Null;

    /// <summary>Where results go. Default: standard output; in tests, what the test reads.</summary>
    public TextWriter Output { get; internal set; } = TextWriter.Null;

    /// <summary>Where complaints and progress go. Default: standard error.</summary>
    public TextWriter Error { get; internal set; } = TextWriter.Null;

    /// <summary>Does it. Returns the process's exit code: 0 done, 1 failed; 2 is kept for wrong usage.</summary>
    /// <remarks>A <see cref="KeelbackException"/> ends it with its message and 1; <paramref name="ct"/> is cancelled by Ctrl+C and SIGTERM.</remarks>
    public abstract Task<int> RunAsync(CancellationToken ct);

    /// <summary>After the options are bound and before the host starts: the last moment to change how it starts.</summary>
    protected internal virtual void BeforeHost()
    {
    }
}
