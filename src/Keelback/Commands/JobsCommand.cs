using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Keelback.Ops;

namespace Keelback;

/// <summary>The jobs pages for a terminal: the same readers and actions, the same audit.</summary>
[Command("jobs", "Look at jobs and act on them: list, show, retry, cancel, copy, bulk, queues, workers, schedules, limits, revocations, revoke, allow, audit, warnings")]
internal sealed class JobsCommand(JobsView view, JobsDoing doing) : Command
{
    private static readonly string[] s_verbs =
        ["list", "show", "retry", "cancel", "copy", "bulk", "queues", "workers", "schedules", "limits", "revocations", "revoke", "allow", "audit", "warnings"];

    // The words are wrong whatever the database holds.
    private static readonly string[] s_misused = ["KB1207", "KB1227", "KB1229", "KB1705", "KB1707", "KB1708", "KB1709", "KB1710", "KB1712", "KB1713", "KB1716", "KB1717", "KB1718", "KB1720", "KB1722", "KB1723", "KB1724", "KB1727", "KB1731"];

    // Of what is given; a stored trigger may be of a zone that this machine lacks, which is no wrong word.
    private static readonly string[] s_misusedWhen = ["KB1220", "KB1221", "KB1222", "KB1255"];

    private static readonly string[] s_queues = ["list", "pause", "resume", "slots"];
    private static readonly string[] s_workers = ["list", "pause", "resume", "scale", "stop", "stop-now"];
    private static readonly string[] s_schedules = ["list", "show", "pause", "resume", "run", "change", "reset"];
    private static readonly string[] s_limits = ["list", "show", "set", "reset"];

    [Argument("list, show RUN, retry RUN, cancel RUN, copy RUN, bulk BULK, queues, workers, schedules, limits, revocations, revoke, allow, audit or warnings")]
    public required string What { get; init; }

    [Argument("The run's id, or the bulk's. queues: list, pause, resume, slots. workers: list, pause, resume, scale, stop, stop-now. schedules: list, show, pause, resume, run, change, reset. limits: list, show, set, reset. revoke, allow: kind or tag, or run")]
    public string? Target { get; init; }

    [Argument("The name of the queue, schedule, limit, kind or tag; the worker's id, or all. bulk: stop, or nothing to see how far it is")]
    public string? Name { get; init; }

    [Argument("queues slots, workers scale: how many, or none. schedules change: a cron expression, or 'every 5m'")]
    public string? Value { get; init; }

    [Option("list, --all: only this kind")]
    public string? Kind { get; init; }

    [Option("list, --all: only this queue")]
    public string? Queue { get; init; }

    [Option("list, --all: only this state")]
    public string? State { get; init; }

    [Option("list, --all: only runs with this tag")]
    public string? Tag { get; init; }

    [Option("list, --all: words of the arguments or the error")]
    public string? Text { get; init; }

    [Option("list, --all: enqueued from, as 2026-01-31T08:00:00Z")]
    public string? From { get; init; }

    [Option("list, --all: enqueued before")]
    public string? To { get; init; }

    [Option("list, audit: only runs or rows with an id below: the next page")]
    public long? Before { get; init; }

    [Option("list, audit, schedules show: how many (default 50)"), Range(1, 1000)]
    public int? Limit { get; init; }

    [Option("copy: the new run's arguments, a JSON object; '-' reads standard input (default: the old ones)")]
    public string? Arguments { get; init; }

    [Option("retry, cancel: the whole graph that the run belongs to")]
    public bool Graph { get; init; }

    [Option("retry, cancel: all that the search finds, instead of one run")]
    public bool All { get; init; }

    [Option("--all: do it; without, it only says to how many runs it would be done")]
    public bool Yes { get; init; }

    [Option("schedules change: the zone of the cron expression (default: the one that it has)")]
    public string? Zone { get; init; }

    [Option("limits set: at most so many at once for each key, or none")]
    public string? Slots { get; init; }

    [Option("limits set: at most so many starts in any second, or none")]
    public string? PerSecond { get; init; }

    [Option("limits set: in any minute")]
    public string? PerMinute { get; init; }

    [Option("limits set: in any hour")]
    public string? PerHour { get; init; }

    [Option("limits set: in any 24 hours")]
    public string? PerDay { get; init; }

    [Option("revoke: for how long, as 2h, 7d or 00:15:00 (default: for good)")]
    public string? Lasting { get; init; }

    [Option("revoke: what the runs' errors say")]
    public string? Reason { get; init; }

    [Option("revoke: also a kind that neither this program nor a run has, as before its deploy. limits set: also a limit that has no numbers yet")]
    public bool Unknown { get; init; }

    [Option("Write JSON, as the pages' API does")]
    public bool Json { get; init; }

    public override async Task<int> RunAsync(CancellationToken ct)
    {
        if (Stranger() is { } stranger)
        {
            await Error.WriteLineAsync(TerminalText.Line(stranger));
            return Shell.WrongUsage;
        }

        try
        {
            return await DoAsync(ct);
        }
        catch (KeelbackException e) when (s_misused.Contains(e.Code) || (What == "schedules" && Target == "change" && s_misusedWhen.Contains(e.Code)))
        {
            await Error.WriteLineAsync(TerminalText.Line(e.Message));
            return Shell.WrongUsage;
        }
    }

    private async Task<int> DoAsync(CancellationToken ct)
    {
        (view.Output, view.Json, doing.Output, doing.Json) = (Output, Json, Output, Json);
        switch (What)
        {
            case "list": return await view.ListAsync(Search(), Limit ?? 50, ct);
            case "retry" or "cancel" when All: return await doing.BulkAsync(What, Search(), Yes, ct);
            case "show": return await view.ShowAsync(Run(), ct);
            case "retry": return await doing.RetryAsync(Run(), Graph, ct);
            case "cancel": return await doing.CancelAsync(Run(), Graph, ct);
            case "copy": return await doing.CopyAsync(Run(), Arguments == "-" ? await Input.ReadToEndAsync(ct) : Arguments, ct);
            case "bulk": return await BulkAsync(ct);
            case "queues": return await QueuesAsync(ct);
            case "workers": return await WorkersAsync(ct);
            case "schedules": return await SchedulesAsync(ct);
            case "limits": return await LimitsAsync(ct);
            case "revocations": return await view.RevocationsAsync(ct);
            case "revoke":
                return Target == "run" ? await doing.CancelAsync(Run(Needed(Name, "run RUN")), Graph, ct)
                : await doing.RevokeAsync(Needed(Target, "kind|tag NAME"), Needed(Name, $"{Target} NAME"), Lasting, Reason, Unknown, ct);
            case "allow": return await doing.AllowAsync(Needed(Target, "kind|tag NAME"), Needed(Name, $"{Target} NAME"), ct);
            case "audit": return await view.AuditAsync(Before, Limit ?? 50, ct);
            case "warnings": return await view.WarningsAsync(ct);
            default: return await CannotAsync("jobs", What, s_verbs);
        }
    }

    private async Task<int> BulkAsync(CancellationToken ct)
    {
        var bulk = Number(Needed(Target, "BULK"), OpsErrors.NoBulkId);
        return Name switch
        {
            null => await view.BulkAsync(bulk, ct),
            "stop" => await doing.StopBulkAsync(bulk, ct),
            _ => await CannotAsync("jobs bulk", Name, ["stop"]),
        };
    }

    private async Task<int> QueuesAsync(CancellationToken ct) => Target switch
    {
        null or "list" => await view.QueuesAsync(ct),
        "pause" or "resume" => await doing.PauseQueueAsync(Needed(Name, $"{Target} QUEUE"), Target == "pause", ct),
        "slots" => await doing.SlotsAsync(Needed(Name, "slots QUEUE N|none"), Needed(Value, $"slots {Name} N|none"), ct),
        _ => await CannotAsync("jobs queues", Target, s_queues),
    };

    private async Task<int> WorkersAsync(CancellationToken ct) => Target switch
    {
        null or "list" => await view.WorkersAsync(ct),
        "pause" or "resume" or "stop" or "stop-now" => await doing.WorkerAsync(Needed(Name, $"{Target} WORKER|all"), Target, ct),
        "scale" => await doing.ScaleAsync(Needed(Name, "scale WORKER|all N|none"), Needed(Value, $"scale {Name} N|none"), ct),
        _ => await CannotAsync("jobs workers", Target, s_workers),
    };

    private async Task<int> SchedulesAsync(CancellationToken ct) => Target switch
    {
        null or "list" => await view.SchedulesAsync(ct),
        "show" => await view.ScheduleAsync(Needed(Name, "show SCHEDULE"), Limit ?? 50, ct),
        "run" => await doing.RunScheduleAsync(Needed(Name, "run SCHEDULE"), ct),
        "pause" or "resume" or "reset" => await doing.ScheduleAsync(Needed(Name, $"{Target} SCHEDULE"), Target, ct),
        "change" => await doing.ChangeAsync(Needed(Name, "change SCHEDULE WHEN"), Needed(Value, $"change {Name} WHEN"), Zone, ct),
        _ => await CannotAsync("jobs schedules", Target, s_schedules),
    };

    private async Task<int> LimitsAsync(CancellationToken ct) => Target switch
    {
        null or "list" => await view.LimitsAsync(ct),
        "show" => await view.LimitAsync(Needed(Name, "show LIMIT"), ct),
        "set" => await doing.SetLimitAsync(Needed(Name, "set LIMIT --slots N|none"), NumbersGiven(), Unknown, ct),
        "reset" => await doing.ResetLimitAsync(Needed(Name, "reset LIMIT"), ct),
        _ => await CannotAsync("jobs limits", Target, s_limits),
    };

    private (string Name, string? Text)[] NumbersGiven()
    {
        (string Name, string? Text)[] given = [("slots", Slots), ("perSecond", PerSecond), ("perMinute", PerMinute), ("perHour", PerHour), ("perDay", PerDay)];
        return given.Any(number => number.Text is not null) ? given : throw OpsErrors.TargetMissing(What, $"set {Name} --slots N|none (or --per-second, --per-minute, --per-hour, --per-day)");
    }

    /// <summary>The first word or option that the verb does not know: it was meant to do something.</summary>
    private string? Stranger()
    {
        if (!s_verbs.Contains(What)) return null; // told by what it can do

        var verb = Target is not null && Words > 2 && (What is not ("revoke" or "allow") || Target is "run" or "kind" or "tag") ? $"{What} {Target}" : What;
        return new[] { What, Target, Name, Value }.Skip(Words).FirstOrDefault(word => word is not null) is { } word ? $"'jobs {verb}' takes no argument '{word}'."
            : Given().FirstOrDefault(o => o.IsGiven && !o.Verbs.Contains(What)) is { Option: { } option } ? $"'jobs {verb}' takes no option '{option}'."
            : null;
    }

    /// <summary>How many words it takes, the verb included; of an unknown one, all.</summary>
    private int Words => (What, Target) switch
    {
        ("list" or "revocations" or "audit" or "warnings", _) => 1,
        ("retry" or "cancel", _) when All => 1,
        ("show" or "retry" or "cancel" or "copy", _) or ("queues" or "workers" or "schedules" or "limits", null or "list") => 2,
        ("bulk", _) => 3,
        ("queues", "slots") or ("workers", "scale") or ("schedules", "change") => 4,
        ("queues" or "workers" or "schedules" or "limits" or "revoke" or "allow", _) => 3,
        _ => 4,
    };

    private IEnumerable<(string Option, bool IsGiven, string[] Verbs)> Given()
    {
        // Where the second word is none of the verb's, its options pass: what is wrong is the word.
        string[] search = All ? ["retry", "cancel"] : ["list"];
        string[] revoke = Target == "run" ? [] : ["revoke"];
        string[] sets = IsOther(s_limits, "set") ? [] : ["limits"];
        return
        [
            ("--kind", Kind is not null, search), ("--queue", Queue is not null, search), ("--state", State is not null, search), ("--tag", Tag is not null, search),
            ("--text", Text is not null, search), ("--from", From is not null, search), ("--to", To is not null, search), ("--before", Before is not null, ["list", "audit"]),
            ("--limit", Limit is not null, IsOther(s_schedules, "show") ? ["list", "audit"] : ["list", "audit", "schedules"]), ("--arguments", Arguments is not null, ["copy"]),
            ("--graph", Graph, All ? [] : Target is "kind" or "tag" ? ["retry", "cancel"] : ["retry", "cancel", "revoke"]),
            ("--all", All, ["retry", "cancel"]), ("--yes", Yes, All ? ["retry", "cancel"] : []), ("--zone", Zone is not null, IsOther(s_schedules, "change") ? [] : ["schedules"]),
            ("--lasting", Lasting is not null, revoke), ("--reason", Reason is not null, revoke), ("--unknown", Unknown, Target == "tag" ? [] : [.. revoke, .. sets]),
            ("--slots", Slots is not null, sets), ("--per-second", PerSecond is not null, sets), ("--per-minute", PerMinute is not null, sets),
            ("--per-hour", PerHour is not null, sets), ("--per-day", PerDay is not null, sets),
        ];
    }

    private bool IsOther(string[] targets, string than) => (Target ?? "list") is var target && target != than && targets.Contains(target);

    private async Task<int> CannotAsync(string command, string verb, string[] verbs)
    {
        await Error.WriteLineAsync(TerminalText.Line($"'{command}' cannot '{verb}'.{OpsErrors.DidYouMean(verb, verbs)} It can {string.Join(", ", verbs)}."));
        return Shell.WrongUsage;
    }

    private RunSearch Search() => new()
    {
        Kind = Kind,
        Queue = Queue,
        Tag = Tag,
        Text = Text,
        Before = Before,
        IsOpen = States.IsOpen(State),
        State = State is null || States.IsOpen(State) ? null : States.Parse(State) ?? throw OpsErrors.NoSuchState(State),
        From = Time(From),
        To = Time(To),
    };

    private long Run() => Run(Needed(Target, "RUN"));

    private static long Run(string id) => Number(id, OpsErrors.NoRunId);

    private static long Number(string text, Func<string, KeelbackException> not) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw not(text);

    private string Needed(string? given, string what) => given ?? throw OpsErrors.TargetMissing(What, what);

    private static DateTimeOffset? Time(string? text) => text is null ? null : RunSearch.ParseTime(text) ?? throw OpsErrors.BadTimeGiven(text);
}
