using System.Text;
using System.Text.Json;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What can be done to a run, each in the audit. A scoped service, as the client is.</summary>
internal sealed class RunActions(JobClient jobs, JobKinds kinds, RunDetailsReader runs, EditableInput inputs, AuditWriter audit)
{
    /// <summary>What can be done to all that a search finds.</summary>
    public static readonly string[] Bulk = ["retry", "cancel"];

    /// <summary>What is done to a run by a name in an address and nothing else.</summary>
    public static readonly IReadOnlyList<(string Name, Func<RunActions, long, Actor, CancellationToken, Task<ActionResult>> Act)> Named =
    [
        ("cancel", (a, id, who, ct) => a.CancelAsync(id, who, ct)), ("cancel-graph", (a, id, who, ct) => a.CancelGraphAsync(id, who, ct)),
        ("retry", (a, id, who, ct) => a.RetryAsync(id, who, ct)), ("retry-graph", (a, id, who, ct) => a.RetryGraphAsync(id, who, ct)),
    ];

    /// <summary>Ended without success, so that running again can change something.</summary>
    public static bool CanRetry(JobRunState state) => state > JobRunState.Succeeded;

    /// <summary>Whether one of <see cref="Bulk"/> can change anything about a run in that state.</summary>
    public static bool Suits(string action, JobRunState state) => action switch
    {
        "retry" => CanRetry(state),
        "cancel" => state < JobRunState.Succeeded,
        _ => false,
    };

    /// <exception cref="KeelbackException">KB1218: there is no such run. KB1706: it has ended.</exception>
    public Task<ActionResult> CancelAsync(long id, Actor actor, CancellationToken ct) => OnRunAsync(id, "cancel", actor, async run =>
        await jobs.CancelAsync(id, ct) ? new(true, "cancelled") : throw OpsErrors.NotForThisState("cancelled", id, Show.Word(run.State)), ct);

    /// <summary>Ends every open run of the graph that a run belongs to.</summary>
    /// <exception cref="KeelbackException">KB1218: there is no such run.</exception>
    public Task<ActionResult> CancelGraphAsync(long id, Actor actor, CancellationToken ct) => OnGraphAsync(id, "cancel graph", actor, async _ =>
        await jobs.CancelGraphAsync(id, ct) is > 0 and var ended ? new(true, $"{Show.Runs(ended)} cancelled") : new(false, "none was open"), ct);

    /// <summary>Opens a run again that ended without success, and what ended below it because of it.</summary>
    /// <exception cref="KeelbackException">KB1218: there is no such run. KB1706: it is open, or has succeeded. KB1233: another run has its unique key. KB1243: what it waited for still has not succeeded.</exception>
    public Task<ActionResult> RetryAsync(long id, Actor actor, CancellationToken ct) => OnRunAsync(id, "retry", actor, async run =>
        await jobs.RetryAsync(id, ct) ? new(true, "open again") : throw OpsErrors.NotForThisState("retried", id, Show.Word(run.State)), ct);

    /// <summary>Opens whatever did not succeed in the graph that a run belongs to.</summary>
    /// <exception cref="KeelbackException">KB1218: there is no such run. KB1233: another run has the unique key of one of them.</exception>
    public Task<ActionResult> RetryGraphAsync(long id, Actor actor, CancellationToken ct) => OnGraphAsync(id, "retry graph", actor, async _ =>
        await jobs.RetryGraphAsync(id, ct) is > 0 and var opened ? new(true, $"{Show.Runs(opened)} open again") : new(false, "there was nothing to retry"), ct);

    /// <summary>Enqueues a new run, due at once, with all else that the old one's call said. <paramref name="json"/>: its arguments; null: the old ones. <paramref name="once"/>: a second call with it makes no second run.</summary>
    /// <exception cref="KeelbackException">
    /// KB1218: there is no such run. KB1707: not a JSON object. KB1206, KB1207: arguments that cannot be stored. KB1278: a secret that no key opens. KB1732: one that is not there. KB1733: they say a version that is not theirs.
    /// KB1231: another run has its unique key. KB1725, KB1726: the old ones cannot be had as a whole.
    /// </exception>
    public Task<ActionResult> CopyAsync(long id, string? json, Guid? once, Actor actor, CancellationToken ct) => OnRunAsync(id, "copy", actor, async run =>
    {
        var own = await inputs.OwnAsync(id, ct) ?? throw JobErrors.NoSuchRun(id);
        var kind = kinds.Find(run.Kind) // or another process has it
            ?? new JobKind(run.Kind, typeof(Job), new(run.Kind), static _ => default);
        var payload = json is null
            ? Encoding.UTF8.GetBytes(await inputs.WholeAsync(id, inForm: false, ct) ?? throw JobErrors.NoSuchRun(id))
            : PayloadVersion.Keep(SecretValues.Keep(Read(kind, json), await inputs.KnownAsync(id, own, ct)), own);
        var options = CopyOptions.Of(run, kind, Encoding.UTF8.GetBytes(own)) with { Id = once };
        return await EnqueueOutcome.OfAsync(await jobs.EnqueueToldAsync(new Job(kind, payload, []), options, ct), jobs);
    }, ct);

    /// <summary>One of many: no row of its own in the audit. False: the run was in no state for it, or is gone.</summary>
    public async Task<bool> QuietlyAsync(string action, RunLine run, CancellationToken ct) => action switch
    {
        _ when !Suits(action, run.State) => false,
        "retry" => await IsRetriedAsync(run.Id, ct),
        _ => await jobs.CancelAsync(run.Id, ct),
    };

    private async Task<bool> IsRetriedAsync(long run, CancellationToken ct)
    {
        try
        {
            return await jobs.RetryAsync(run, ct);
        }
        catch (KeelbackException e) when (e.Code is "KB1233" or "KB1243" or "KB1288")
        {
            return false; // another run has its unique key, or what it waited for still has not succeeded, or its results are gone
        }
    }

    private Task<ActionResult> OnRunAsync(long id, string action, Actor actor, Func<RunDetails, Task<ActionResult>> act, CancellationToken ct) =>
        AuditAsync(id, run => AuditTarget.Run(run.Id), action, actor, act, ct);

    private Task<ActionResult> OnGraphAsync(long id, string action, Actor actor, Func<RunDetails, Task<ActionResult>> act, CancellationToken ct) =>
        AuditAsync(id, run => AuditTarget.Graph(run.Root ?? run.Id), action, actor, act, ct);

    private async Task<ActionResult> AuditAsync(
        long id, Func<RunDetails, string> target, string action, Actor actor, Func<RunDetails, Task<ActionResult>> act, CancellationToken ct)
    {
        var run = await runs.FindAsync(id, ct) ?? throw JobErrors.NoSuchRun(id);
        return await audit.AuditAsync(actor, action, target(run), $$"""{"kind": {{JsonSerializer.Serialize(run.Kind)}}, "state": "{{States.Name(run.State)}}"}""", () => act(run), ct);
    }

    private static byte[] Read(JobKind kind, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw OpsErrors.BadPayload($"they are a JSON {document.RootElement.ValueKind.ToString().ToLowerInvariant()}.");

            PayloadRules.CheckPayload(kind.Name, Encoding.UTF8.GetBytes(document.RootElement.GetRawText())); // before anything reads its texts
            return Twice(document.RootElement) is { } name
                ? throw OpsErrors.BadPayload($"the member '{name}' stands twice in one object.")
                : CompactJson.Of(document.RootElement); // a form shows them with white space, which must not count
        }
        catch (JsonException e)
        {
            throw OpsErrors.BadPayload($"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1} does not read.");
        }
    }

    // The database would keep the last of them without a word.
    private static string? Twice(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().GroupBy(m => m.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any())?.Key
            ?? value.EnumerateObject().Select(m => Twice(m.Value)).FirstOrDefault(name => name is not null),
        JsonValueKind.Array => value.EnumerateArray().Select(Twice).FirstOrDefault(name => name is not null),
        _ => null,
    };
}
