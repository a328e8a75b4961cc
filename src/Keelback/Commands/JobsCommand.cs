using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Keelback.Ops;

namespace Keelback;

/// <summary>The jobs pages for a terminal: the same readers and actions, the same audit.</summary>
[Command("jobs", "Look at jobs and act on them: list, show, cancel, copy, queues, pause, resume, workers, audit, warnings")]
internal sealed class JobsCommand(JobsView view, JobsDoing doing) : Command
{
    private static readonly string[] s_verbs = ["list", "show", "cancel", "copy", "queues", "pause", "resume", "workers", "audit", "warnings"];

    [Argument("list, show RUN, cancel RUN, copy RUN, queues, pause QUEUE, resume QUEUE, workers, audit or warnings")]
    public required string What { get; init; }

    [Argument("The run's id, or the queue's name")]
    public string? Target { get; init; }

    [Option("list: only this kind")]
    public string? Kind { get; init; }

    [Option("list: only this queue")]
    public string? Queue { get; init; }

    [Option("list: only this state")]
    public string? State { get; init; }

    [Option("list: only runs with this tag")]
    public string? Tag { get; init; }

    [Option("list: words of the arguments or the error")]
    public string? Text { get; init; }

    [Option("list: enqueued from, as 2026-01-31T08:00:00Z")]
    public string? From { get; init; }

    [Option("list: enqueued before")]
    public string? To { get; init; }

    [Option("list: only runs with an id below: the next page")]
    public long? Before { get; init; }

    [Option("list, audit: how many"), Range(1, 1000)]
    public int Limit { get; init; } = 50;

    [Option("copy: the new run's arguments, a JSON object; '-' reads standard input (default: the old ones)")]
    public string? Arguments { get; init; }

    [Option("Write JSON, as the pages' API does")]
    public bool Json { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        (view.Output, view.Json, doing.Output, doing.Json) = (Output, Json, Output, Json);
        switch (What)
        {
            case "list": return await view.ListAsync(Search(), Limit, ct);
            case "show": return await view.ShowAsync(Run(), ct);
            case "queues": return await view.QueuesAsync(ct);
            case "workers": return await view.WorkersAsync(ct);
            case "audit": return await view.AuditAsync(Limit, ct);
            case "warnings": return await view.WarningsAsync(ct);
            case "cancel": return await doing.CancelAsync(Run(), ct);
            case "copy": return await doing.CopyAsync(Run(), Arguments == "-" ? await Input.ReadToEndAsync(ct) : Arguments, ct);
            case "pause" or "resume": return await doing.PauseAsync(Needed("QUEUE"), What == "pause", ct);
            default:
                await Error.WriteLineAsync($"'jobs' cannot '{What}'.{OpsErrors.DidYouMean(What, s_verbs)} It can {string.Join(", ", s_verbs)}.");
                return Shell.WrongUsage;
        }
    }

    private RunSearch Search() => new()
    {
        Kind = Kind,
        Queue = Queue,
        Tag = Tag,
        Text = Text,
        Before = Before,
        State = State is null ? null : States.Parse(State) ?? throw OpsErrors.NoSuchState(State),
        From = Time(From),
        To = Time(To),
    };

    private long Run() => long.TryParse(Needed("RUN"), NumberStyles.None, CultureInfo.InvariantCulture, out var run) ? run : throw OpsErrors.NoRunId(Target!);

    private string Needed(string what) => Target ?? throw OpsErrors.TargetMissing(What, what);

    private static DateTimeOffset? Time(string? text) => text is null ? null : RunSearch.ParseTime(text) ?? throw OpsErrors.BadTimeGiven(text);
}
