namespace Keelback;

/// <summary>The web process; jobs run in it too unless <c>Keelback:Jobs:RunWorker</c> is false.</summary>
[Command(CommandName, "Serve HTTP, and run jobs unless Keelback:Jobs:RunWorker is false (the default command)", Host = CommandHost.Web)]
internal sealed class ServeCommand : Command
{
    public const string CommandName = "serve";

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        await UntilStopped(ct);
        return 0;
    }

    internal static async Task UntilStopped(CancellationToken ct)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = ct.Register(stopped.SetResult);
        await stopped.Task;
    }
}
