using System.Globalization;
using System.Text.Json;

namespace Keelback.Ops;

/// <summary>The pages' actions, asked for on a terminal. A scoped service.</summary>
internal sealed class JobsDoing(
    RunActions runs, BulkActions bulks, BulkCounter counter, KnownNames names, QueueActions queues, ScheduleActions schedules, WorkerActions workers,
    RevocationActions revocations, LimitActions limits)
{
    public TextWriter Output { get; set; } = TextWriter.Null;

    public bool Json { get; set; }

    private static Actor Actor => new($"{Environment.UserName}@{Environment.MachineName}", "cli");

    public Task<int> CancelAsync(long run, bool graph, CancellationToken ct) => TellAsync(graph ? runs.CancelGraphAsync(run, Actor, ct) : runs.CancelAsync(run, Actor, ct));

    public Task<int> RetryAsync(long run, bool graph, CancellationToken ct) => TellAsync(graph ? runs.RetryGraphAsync(run, Actor, ct) : runs.RetryAsync(run, Actor, ct));

    /// <summary>1 when nothing was enqueued.</summary>
    public Task<int> CopyAsync(long run, string? json, CancellationToken ct) => TellAsync(runs.CopyAsync(run, json, null, Actor, ct), mustBeDone: true);

    /// <summary>To all that a search finds. Unless <paramref name="sure"/>, only says to how many: 1.</summary>
    /// <exception cref="KeelbackException">KB1703, KB1704: there is no such queue or kind. KB1712: the search is empty. KB1723, KB1724: no search can be made of its text.</exception>
    public async Task<int> BulkAsync(string action, RunSearch search, bool sure, CancellationToken ct)
    {
        BulkActions.Check(action, search);
        await names.CheckAsync(search, ct);
        var size = await counter.CountAsync(action, search, ct);
        if (!sure)
        {
            Output.WriteLine(Json
                ? JsonSerializer.Serialize(ApiShapes.Size(size), OpsJson.Options)
                : $"The search finds {size.Words}, {Show.Count(size.Suited)} of them in a state for it. Nothing was done: add --yes.");
            return 1;
        }

        var id = await bulks.BeginAsync(action, search, Actor, ct);
        Output.WriteLine(Json
            ? JsonSerializer.Serialize(ApiShapes.Bulk(await bulks.LookAsync(id, ct)), OpsJson.Options)
            : $"{action} {size.Words}: bulk {Show.Id(id)} has begun; it is done in the background. 'jobs bulk {Show.Id(id)}' tells how far it is.");
        return 0;
    }

    /// <exception cref="KeelbackException">KB1721: there is no such bulk.</exception>
    public Task<int> StopBulkAsync(long id, CancellationToken ct) => TellAsync(bulks.StopAsync(id, Actor, ct));

    public Task<int> PauseQueueAsync(string queue, bool paused, CancellationToken ct) => TellAsync(queues.PauseAsync(queue, paused, Actor, ct));

    /// <exception cref="KeelbackException">KB1713: neither a number nor <c>none</c>.</exception>
    public Task<int> SlotsAsync(string queue, string slots, CancellationToken ct) => TellAsync(queues.SetSlotsAsync(queue, Number(slots, OpsErrors.BadSlots), Actor, ct));

    /// <summary>1 when nothing was enqueued.</summary>
    public Task<int> RunScheduleAsync(string name, CancellationToken ct) => TellAsync(schedules.RunNowAsync(name, null, Actor, ct), mustBeDone: true);

    public Task<int> ScheduleAsync(string name, string action, CancellationToken ct) =>
        TellAsync(ScheduleActions.Named.Single(a => a.Name == action).Act(schedules, name, Actor, ct));

    public Task<int> ChangeAsync(string name, string when, string? zone, CancellationToken ct) => TellAsync(schedules.ChangeAsync(name, when, zone, Actor, ct));

    public Task<int> WorkerAsync(string worker, string action, CancellationToken ct) =>
        TellAsync(WorkerActions.Named.Single(a => a.Name == action).Act(workers, worker, Actor, ct));

    /// <exception cref="KeelbackException">KB1717: neither a number nor <c>none</c>.</exception>
    public Task<int> ScaleAsync(string worker, string concurrency, CancellationToken ct) =>
        TellAsync(workers.ScaleAsync(worker, Number(concurrency, OpsErrors.BadConcurrency), Actor, ct));

    public Task<int> RevokeAsync(string what, string value, string? lasting, string? reason, bool unknown, CancellationToken ct) => TellAsync(
        revocations.RevokeAsync(what, value, lasting is null ? null : Duration.Parse(lasting) ?? throw OpsErrors.BadDuration(lasting), reason, unknown, Actor, ct));

    public Task<int> AllowAsync(string what, string value, CancellationToken ct) => TellAsync(revocations.AllowAsync(what, value, Actor, ct));

    /// <param name="name">The limit.</param>
    /// <param name="numbers">As typed, by their names in JSON; null: it stays as it is.</param>
    /// <param name="unknown">Also one that nobody names yet.</param>
    /// <param name="ct">Stops it.</param>
    /// <exception cref="KeelbackException">KB1731: neither a number nor <c>none</c>.</exception>
    public Task<int> SetLimitAsync(string name, IEnumerable<(string Name, string? Text)> numbers, bool unknown, CancellationToken ct) => TellAsync(limits.SetAsync(
        name, numbers.Where(n => n.Text is not null).ToDictionary(n => n.Name, n => LimitNumbers.Parse(n.Text!, none: "none")), unknown, Actor, ct));

    public Task<int> ResetLimitAsync(string name, CancellationToken ct) => TellAsync(limits.ResetAsync(name, Actor, ct));

    private static int? Number(string text, Func<string, KeelbackException> not) => text == "none" ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw not(text);

    private async Task<int> TellAsync(Task<ActionResult> action, bool mustBeDone = false)
    {
        var result = await action;
        Output.WriteLine(Json ? JsonSerializer.Serialize(ApiShapes.Done(result), OpsJson.Options) : TerminalText.Line(result.Outcome));
        return mustBeDone && !result.Done ? 1 : 0;
    }
}
