using System.ComponentModel.DataAnnotations;
using Keelback.Jobs;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>A process that runs jobs and listens for nothing.</summary>
[Command(CommandName, "Run jobs, without HTTP", Host = CommandHost.Workers)]
internal sealed class WorkerCommand(IOptions<JobsOptions> jobs) : Command
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

    // The options are one object for the whole process, and nothing has read them yet but their rules.
    protected internal override void BeforeHost()
    {
        (jobs.Value.RunWorker, jobs.Value.StopHost) = (true, true);
        if (Concurrency is { } concurrency) jobs.Value.Concurrency = concurrency;
        if (Queues is null) return;

        jobs.Value.Queues.Clear();
        foreach (var queue in Queues) jobs.Value.Queues.Add(queue);
    }
}
