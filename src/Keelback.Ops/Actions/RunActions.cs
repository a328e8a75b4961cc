using System.Text;
using System.Text.Json;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What can be done to a run, each in the audit. A scoped service, as the client is.</summary>
internal sealed class RunActions(JobClient jobs, JobKinds kinds, RunDetailsReader runs, AuditWriter audit)
{
    /// <summary>What can be done to all that a search finds.</summary>
    public static readonly string[] Bulk = ["cancel"];

    /// <summary>Ended without success, so that running again can change something.</summary>
    public static bool CanRetry(JobRunState state) => state > JobRunState.Succeeded;

    /// <exception cref="KeelbackException">KB1218: there is no such run. KB1706: it has ended.</exception>
    public Task<ActionResult> CancelAsync(long id, Actor actor, CancellationToken ct) => OnRunAsync(id, "cancel", actor, async run =>
        await jobs.CancelAsync(id, ct) ? new(true, "cancelled") : throw OpsErrors.NotForThisState("cancelled", id, Show.Word(run.State)), ct);

    /// <summary>Enqueues a new run with other arguments and the old one's queue, priority, attempts and time limit.</summary>
    /// <exception cref="KeelbackException">KB1218: there is no such run. KB1707: not a JSON object. KB1206, KB1207: arguments that cannot be stored.</exception>
    public Task<ActionResult> CopyAsync(long id, string json, Actor actor, CancellationToken ct) => OnRunAsync(id, "copy", actor, async run =>
    {
        var payload = Read(json);
        var kind = kinds.Find(run.Kind) ?? new JobKind(run.Kind, typeof(Job), new(run.Kind), static _ => default); // another process has it
        var copy = await jobs.EnqueueAsync(new Job(kind, payload, []), new()
        {
            Queue = run.Queue,
            Priority = run.Priority,
            MaxAttempts = run.MaxAttempts,
            Timeout = run.Timeout,
        }, ct);
        return new(true, $"enqueued run {Show.Id(copy)}", $$"""{"run": {{Show.Id(copy)}}}""") { Run = copy };
    }, ct);

    /// <summary>One of many: no row of its own in the audit. False: the run was in no state for it, or is gone.</summary>
    public async Task<bool> QuietlyAsync(string action, RunLine run, CancellationToken ct) => action switch
    {
        "cancel" => run.State < JobRunState.Succeeded && await jobs.CancelAsync(run.Id, ct),
        _ => false,
    };

    private async Task<ActionResult> OnRunAsync(long id, string action, Actor actor, Func<RunDetails, Task<ActionResult>> act, CancellationToken ct)
    {
        var run = await runs.FindAsync(id, ct) ?? throw JobErrors.NoSuchRun(id);
        return await audit.AuditAsync(actor, action, $"run {Show.Id(id)}", $$"""{"kind": {{JsonSerializer.Serialize(run.Kind)}}, "state": "{{States.Name(run.State)}}"}""", () => act(run), ct);
    }

    private static byte[] Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Encoding.UTF8.GetBytes(document.RootElement.GetRawText())
                : throw OpsErrors.BadPayload($"they are a JSON {document.RootElement.ValueKind.ToString().ToLowerInvariant()}.");
        }
        catch (JsonException e)
        {
            throw OpsErrors.BadPayload($"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1} does not read.");
        }
    }
}
