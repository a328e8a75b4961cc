using System.ComponentModel.DataAnnotations;
using Keelback.Jobs;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>A process that runs jobs and listens for nothing.</summary>
[Command(CommandName, "Run jobs, without HTTP", Host = CommandHost.Workers)]
internal sealed class WorkerCommand(IOptions<JobsOptions> jobs, IEnumerable<IValidateOptions<JobsOptions>> rules) : Command
{
    public const string CommandName = "worker";

    [Option("Only these queues, as a,b (default: Keelback:Jobs:Queues)")]
    [MinLength(1, ErrorMessage = "--queues names no queue, and without names it would take every one. Give them as a,b, or leave the option out.")]
    public string[]? Queues { get; init; }

    [Option("Jobs at once (default: Keelback:Jobs:Concurrency)"), Range(1, 1_000)]
    public int? Concurrency { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        await ServeCommand.UntilStopped(ct);
        return 0;
    }

    /// <exception cref="StartChecksException">KB1501: the settings do not go with what was given.</exception>
    protected internal override void BeforeHost()
    {
        if (Settings() is not { } options) return;

        (options.RunWorker, options.StopHost) = (true, true);
        if (Concurrency is { } concurrency) options.Concurrency = concurrency;
        if (Queues is not null)
        {
            options.Queues.Clear();
            foreach (var queue in Queues) options.Queues.Add(queue);
        }

        // They were found right as they are configured; what was given has changed them since.
        var mistakes = rules.SelectMany(rule => rule.Validate(Options.DefaultName, options).Failures ?? []).ToList();
        if (mistakes.Count > 0) throw new StartChecksException([.. mistakes.Select(m => new Finding(FindingLevel.Error, KeelbackErrors.SettingRefused, m))]);
    }

    // One object for the whole process, which nothing has read yet but its rules. Null: it cannot be had, and the start checks tell why.
    private JobsOptions? Settings()
    {
        try
        {
            return jobs.Value;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            return null;
        }
    }
}
