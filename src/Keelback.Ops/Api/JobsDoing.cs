using System.Globalization;
using System.Text.Json;

namespace Keelback.Ops;

/// <summary>The pages' actions, asked for on a terminal. A scoped service.</summary>
internal sealed class JobsDoing(
    RunActions runs, QueueActions queues, ScheduleActions schedules, WorkerActions workers, RevocationActions revocations, EditableInput inputs)
{
    public TextWriter Output { get; set; } = TextWriter.Null;

    public bool Json { get; set; }

    private static Actor Actor => new($"{Environment.UserName}@{Environment.MachineName}", "cli");

    public Task<int> CancelAsync(long run, bool graph, CancellationToken ct) => TellAsync(graph ? runs.CancelGraphAsync(run, Actor, ct) : runs.CancelAsync(run, Actor, ct));

    public Task<int> RetryAsync(long run, bool graph, CancellationToken ct) => TellAsync(graph ? runs.RetryGraphAsync(run, Actor, ct) : runs.RetryAsync(run, Actor, ct));

    public async Task<int> CopyAsync(long run, string? json, CancellationToken ct) =>
        await TellAsync(runs.CopyAsync(run, json ?? await inputs.ReadAsync(run, ct) ?? "{}", Actor, ct));

    public Task<int> PauseQueueAsync(string queue, bool paused, CancellationToken ct) => TellAsync(queues.PauseAsync(queue, paused, Actor, ct));

    /// <exception cref="KeelbackException">KB1713: neither a number nor <c>none</c>.</exception>
    public Task<int> SlotsAsync(string queue, string slots, CancellationToken ct) => TellAsync(queues.SetSlotsAsync(queue, Number(slots, OpsErrors.BadSlots), Actor, ct));

    public Task<int> ScheduleAsync(string name, string action, CancellationToken ct) =>
        TellAsync(ScheduleActions.Named.Single(a => a.Name == action).Act(schedules, name, Actor, ct));

    public Task<int> ChangeAsync(string name, string when, string? zone, CancellationToken ct) => TellAsync(schedules.ChangeAsync(name, when, zone, Actor, ct));

    public Task<int> WorkerAsync(string worker, string action, CancellationToken ct) =>
        TellAsync(WorkerActions.Named.Single(a => a.Name == action).Act(workers, worker, Actor, ct));

    /// <exception cref="KeelbackException">KB1717: neither a number nor <c>none</c>.</exception>
    public Task<int> ScaleAsync(string worker, string concurrency, CancellationToken ct) =>
        TellAsync(workers.ScaleAsync(worker, Number(concurrency, OpsErrors.BadConcurrency), Actor, ct));

    public Task<int> RevokeAsync(string what, string value, string? lasting, string? reason, CancellationToken ct) => TellAsync(
        revocations.RevokeAsync(what, value, lasting is null ? null : Duration.Parse(lasting) ?? throw OpsErrors.BadDuration(lasting), reason, Actor, ct));

    public Task<int> AllowAsync(string what, string value, CancellationToken ct) => TellAsync(revocations.AllowAsync(what, value, Actor, ct));

    private static int? Number(string text, Func<string, KeelbackException> not) => text == "none" ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw not(text);

    private async Task<int> TellAsync(Task<ActionResult> action)
    {
        var result = await action;
        Output.WriteLine(Json ? JsonSerializer.Serialize(result, OpsJson.Options) : result.Outcome);
        return 0;
    }
}
