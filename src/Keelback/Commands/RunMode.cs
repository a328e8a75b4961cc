namespace Keelback;

/// <summary>What this process is running as. Serving, until the command line says otherwise.</summary>
internal sealed class RunMode
{
    public CommandHost Host { get; private set; } = CommandHost.Web;

    /// <summary>Whether a person asked to see everything.</summary>
    public bool Verbose { get; private set; }

    /// <summary>Between the first hosted service and the last.</summary>
    public bool Starting
    {
        get;
        set
        {
            field = value;
            Changed?.Invoke();
        }
    }

    /// <summary>Raised after a change, for what read the mode too early: the logger.</summary>
    public event Action? Changed;

    public void Become(CommandHost host, bool verbose)
    {
        (Host, Verbose) = (host, verbose);
        Changed?.Invoke();
    }
}
