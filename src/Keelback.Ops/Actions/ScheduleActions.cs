using System.Text.Json;
using Keelback.Jobs;

namespace Keelback.Ops;

/// <summary>What can be done to a schedule, each in the audit. A scoped service, as its API is.</summary>
internal sealed class ScheduleActions(JobSchedules schedules, JobClient jobs, AuditWriter audit)
{
    /// <summary>What is done to a schedule by a name in an address and nothing else.</summary>
    public static readonly IReadOnlyList<(string Name, Func<ScheduleActions, string, Actor, CancellationToken, Task<ActionResult>> Act)> Named =
    [
        ("pause", (a, name, who, ct) => a.PauseAsync(name, who, ct)), ("resume", (a, name, who, ct) => a.ResumeAsync(name, who, ct)),
        ("reset", (a, name, who, ct) => a.ResetAsync(name, who, ct)),
    ];

    /// <summary>The schedule and the latest of its ticks.</summary>
    /// <exception cref="KeelbackException">KB1715: there is no such schedule.</exception>
    public async Task<(JobSchedule Schedule, IReadOnlyList<JobTick> History)> FindAsync(string name, int ticks, CancellationToken ct)
    {
        var schedule = await schedules.GetAsync(name, ct) ?? throw OpsErrors.NoSuchSchedule(name, [.. (await schedules.ListAsync(ct)).Select(s => s.Name)]);
        return (schedule, await schedules.GetHistoryAsync(name, ticks, ct));
    }

    /// <exception cref="KeelbackException">KB1715: there is no such schedule.</exception>
    public Task<ActionResult> PauseAsync(string name, Actor actor, CancellationToken ct) => OnScheduleAsync(name, "pause", actor, async schedule =>
    {
        await schedules.PauseAsync(name, ct);
        return schedule.State == JobScheduleState.Paused ? new(false, "was paused already") : new(true, "paused");
    }, ct);

    /// <exception cref="KeelbackException">KB1715: there is no such schedule.</exception>
    public Task<ActionResult> ResumeAsync(string name, Actor actor, CancellationToken ct) => OnScheduleAsync(name, "resume", actor, async schedule =>
    {
        await schedules.ResumeAsync(name, ct);
        return schedule.State == JobScheduleState.Paused ? new(true, "resumed") : new(false, "was not paused");
    }, ct);

    /// <summary>Enqueues its call now, beside its ticks. <paramref name="once"/>: a second call with it makes no second run.</summary>
    /// <exception cref="KeelbackException">KB1715: there is no such schedule. KB1262: this process lacks the code that makes the call. KB1231: another run has its unique key.</exception>
    public Task<ActionResult> RunNowAsync(string name, Guid? once, Actor actor, CancellationToken ct) => OnScheduleAsync(
        name, "run now", actor, async _ => await EnqueueOutcome.OfAsync(await schedules.RunNowToldAsync(name, once, ct), jobs), ct);

    /// <summary>When it ticks from now on: a cron expression with its zone, or <c>every 00:05:00</c>. Without a zone it stays in the one that it has, or UTC; a rate has no other.</summary>
    /// <exception cref="KeelbackException">KB1715: there is no such schedule. KB1716, KB1220 to KB1222, KB1255, KB1257: no such trigger.</exception>
    public Task<ActionResult> ChangeAsync(string name, string when, string? zone, Actor actor, CancellationToken ct) => OnScheduleAsync(name, "change", actor, async schedule =>
    {
        var trigger = Parse(when, string.IsNullOrWhiteSpace(zone) ? null : zone.Trim(), (schedule.Trigger as CronTrigger)?.Zone ?? "UTC");
        if (trigger == schedule.Trigger) return new(false, "ticks so already");
        await schedules.ChangeAsync(name, trigger, ct: ct);
        return new(true, $"ticks {trigger}", Told(trigger));
    }, ct);

    /// <summary>Takes back what was changed at run time.</summary>
    /// <exception cref="KeelbackException">KB1715: there is no such schedule. KB1264: the code does not have it.</exception>
    public Task<ActionResult> ResetAsync(string name, Actor actor, CancellationToken ct) => OnScheduleAsync(name, "reset", actor, async schedule =>
    {
        if (schedule is { IsFromCode: true, IsOverridden: false }) return new(false, "is as the code has it");
        await schedules.ResetAsync(name, ct);
        return new(true, "as the code has it");
    }, ct);

    /// <summary>What <see cref="ChangeAsync"/> would read as this trigger; null: a kind that it cannot.</summary>
    public static (string When, string Zone)? Written(Trigger trigger) => trigger switch
    {
        CronTrigger cron => (cron.Expression, cron.Zone),
        IntervalTrigger { Aligned: true } interval => ($"every {interval.Interval:c}", "UTC"),
        _ => null,
    };

    private static Trigger Parse(string when, string? zone, string present)
    {
        var text = when.Trim();
        if (text.Length == 0) throw OpsErrors.BadWhen(when);
        if (!text.StartsWith("every ", StringComparison.OrdinalIgnoreCase)) return Trigger.Cron(text, zone ?? present);
        if (zone is not (null or "UTC")) throw JobErrors.BadTrigger(Trigger.NoZoneBesideRate(zone));

        return Duration.Parse(text[6..]) is { } interval ? Trigger.Every(interval, aligned: true) : throw OpsErrors.BadWhen(when);
    }

    private async Task<ActionResult> OnScheduleAsync(string name, string action, Actor actor, Func<JobSchedule, Task<ActionResult>> act, CancellationToken ct)
    {
        var (schedule, _) = await FindAsync(name, 0, ct);
        return await audit.AuditAsync(actor, action, $"schedule {name}", Told(schedule.Trigger, schedule.State), () => act(schedule), ct);
    }

    private static string Told(Trigger trigger, JobScheduleState? state = null) => JsonSerializer.Serialize(
        state is { } s ? (object)new { when = trigger.ToString(), state = s } : new { when = trigger.ToString() }, OpsJson.Options);
}
