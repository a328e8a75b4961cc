using System.ComponentModel.DataAnnotations;

namespace Keelback.Commands;

/// <summary>A process that runs jobs and listens for nothing.</summary>
[Command(CommandName, "Run jobs, without HTTP", Host = CommandHost.Workers)]
internal sealed class WorkerCommand(WorkerOverrides overrides) : Command
{
    public const string CommandName = "worker";

    [Option("Only these queues, as a,b (default: Keelback:Jobs:Queues)")]
    public string[]? Queues { get; init; }

    [Option("Jobs at once (default: Keelback:Jobs:Concurrency)"), Range(1, 1_000)]
    public int? Concurrency { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        await ServeCommand.UntilStopped(ct);
        return 0;
    }

    internal override void BeforeHost() => (overrides.Queues, overrides.Concurrency) = (Queues, Concurrency);
}

/// <summary>What the <c>worker</c> command was told; stronger than configuration.</summary>
internal sealed class WorkerOverrides
{
    public string[]? Queues { get; set; }

    public int? Concurrency { get; set; }
}
