namespace Keelback.Jobs;

/// <summary>Runs a job on a schedule. The method's parameters must have defaults: a tick has no arguments to give.</summary>
/// <remarks>Durations are written <c>hh:mm:ss</c>, with days <c>d.hh:mm:ss</c>. What is not here, such as holidays, is in <see cref="JobsOptions.AddSchedule(string, Trigger, Func{Job}, ScheduleOptions)"/>.</remarks>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class ScheduleAttribute : JobMetadataAttribute
{
    /// <summary>By a cron expression: five fields or six, as <see cref="CronExpression"/> has them.</summary>
    public ScheduleAttribute(string cron) => Cron = cron;

    /// <summary>At a rate, which <see cref="Every"/> says.</summary>
    public ScheduleAttribute()
    {
    }

    /// <summary>The cron expression.</summary>
    public string? Cron { get; }

    /// <summary>The schedule's name. Default: the job's kind; a method with several needs one for each.</summary>
    public string? Name { get; set; }

    /// <summary>The zone of the expression. Default UTC; a rate has no other.</summary>
    public string Zone { get; set; } = "UTC";

    /// <summary>A fixed rate instead of an expression, at multiples of it since 1970 UTC.</summary>
    public string? Every { get; set; }

    /// <inheritdoc cref="ScheduleOptions.Jitter"/>
    public string? Jitter { get; set; }

    /// <inheritdoc cref="ScheduleOptions.MisfireGrace"/>
    public string? MisfireGrace { get; set; }

    /// <inheritdoc cref="ScheduleOptions.CatchUp"/>
    public CatchUp CatchUp { get; set; } = CatchUp.Latest;

    /// <inheritdoc cref="ScheduleOptions.CatchUpLimit"/>
    public int CatchUpLimit { get; set; } = 100;

    /// <inheritdoc cref="ScheduleOptions.Overlap"/>
    public Overlap Overlap { get; set; }

    /// <exception cref="KeelbackException">KB1220 to KB1222, KB1255, KB1256.</exception>
    internal CodeSchedule ToSchedule(JobKind kind)
    {
        var name = Name ?? kind.Name;
        var trigger = (Cron, Every) switch
        {
            ({ } cron, null) => Trigger.Cron(cron, Zone),
            (null, { }) when Zone != "UTC" => throw JobErrors.BadSchedule(name, Trigger.NoZoneBesideRate(Zone)),
            (null, { }) => Trigger.Every(Duration(nameof(Every), Every) ?? default, aligned: true),
            _ => throw JobErrors.BadSchedule(name, "give it a cron expression or Every, one of the two."),
        };
        return new(name, trigger, _ => kind.DefaultCall?.Invoke() ?? new JobPayload().ToJob(kind), new()
        {
            Jitter = Duration(nameof(Jitter), Jitter) ?? default,
            MisfireGrace = Duration(nameof(MisfireGrace), MisfireGrace),
            CatchUp = CatchUp,
            CatchUpLimit = CatchUpLimit,
            Overlap = Overlap,
        });

        TimeSpan? Duration(string member, string? text) => JobDuration.Parse(text, member, mistake => JobErrors.BadSchedule(name, mistake));
    }
}
