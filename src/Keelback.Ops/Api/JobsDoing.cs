using System.Text.Json;

namespace Keelback.Ops;

/// <summary>The pages' actions, asked for on a terminal. A scoped service.</summary>
internal sealed class JobsDoing(RunActions runs, QueueActions queues, EditableInput inputs)
{
    public TextWriter Output { get; set; } = TextWriter.Null;

    public bool Json { get; set; }

    private static Actor Actor => new($"{Environment.UserName}@{Environment.MachineName}", "cli");

    public Task<int> CancelAsync(long run, CancellationToken ct) => TellAsync(runs.CancelAsync(run, Actor, ct));

    public async Task<int> CopyAsync(long run, string? json, CancellationToken ct) =>
        await TellAsync(runs.CopyAsync(run, json ?? await inputs.ReadAsync(run, ct) ?? "{}", Actor, ct));

    public Task<int> PauseAsync(string queue, bool paused, CancellationToken ct) => TellAsync(queues.PauseAsync(queue, paused, Actor, ct));

    private async Task<int> TellAsync(Task<ActionResult> action)
    {
        var result = await action;
        Output.WriteLine(Json ? JsonSerializer.Serialize(result, OpsJson.Options) : result.Outcome);
        return 0;
    }
}
