using Microsoft.Extensions.Logging;

namespace Keelback.Jobs;

/// <summary>Makes the call of a tick: by the code that defines it, or from what is stored.</summary>
internal sealed class ScheduleCalls(ScheduleCatalog catalog, JobKinds kinds, JobSecrets secrets, ILogger<ScheduleCalls> log)
{
    /// <exception cref="KeelbackException">KB1262: not by this process. KB1263: it has an id. Whatever the code throws.</exception>
    public Job Make(ScheduleRow schedule, DateTimeOffset at)
    {
        // By hand, and on a clock that went back, a call may be made for a time that is covered: its interval is empty.
        DateTimeOffset? from = schedule.CoveredAt is { } covered ? schedule.Source.InZone(covered < at ? covered : at) : null;
        var tick = new ScheduleTick(schedule.Name, schedule.Source.InZone(at), from);
        return Checked(schedule.Name, schedule.Definition.IsLive ? Live(schedule.Name, tick) : schedule.Definition.Call.ToJob(kinds))
            ?? throw JobErrors.ScheduleNotHere(schedule.Name);
    }

    /// <summary>As the code defines it, with the call that it makes for the next tick: who knows its jobs may fire it.</summary>
    /// <remarks>A call that cannot be made now, for want of what a tick will have, is no reason not to start: the jobs stay as they were known.</remarks>
    /// <exception cref="KeelbackException">KB1206 to KB1208, KB1263; KB1277: a secret, and no key.</exception>
    public ScheduleDefinition Define(CodeSchedule schedule, StoredCall? known, DateTimeOffset now)
    {
        var source = new TickSource(schedule.Trigger, schedule.Options, schedule.Name, now);
        Job call;
        try
        {
            call = schedule.Call(new(schedule.Name, source.InZone(source.Next(now) ?? now), null));
        }
        catch (Exception e)
        {
            Log.ScheduleCallNotMade(log, schedule.Name, e);
            return new(schedule.Trigger, schedule.Options, known ?? StoredCall.Unknown, IsLive: true);
        }

        return new(schedule.Trigger, schedule.Options, Store(schedule.Name, call), IsLive: true);
    }

    /// <exception cref="KeelbackException">KB1206 to KB1208, KB1263; KB1277: a secret, and no key.</exception>
    public StoredCall Store(string name, Job call)
    {
        ArgumentNullException.ThrowIfNull(call);
        _ = EnqueuePlan.Of([Checked(name, call)!]);
        return StoredCall.Of(call, secrets);
    }

    private Job? Live(string name, ScheduleTick tick) => catalog.Find(name)?.Call(tick);

    private static Job? Checked(string name, Job? call) => call?.Options?.Id is null ? call : throw JobErrors.ScheduleHasId(name);
}
