namespace Keelback.Jobs;

/// <summary>What one call overrides of its kind's defaults; a member that is not set says nothing.</summary>
public sealed record EnqueueOptions
{
    /// <summary>
    /// Makes enqueueing idempotent: a second call with the same id returns the first run. It is the app's own, stands for one kind (KB1232), and lasts as
    /// long as its run's row: at least <see cref="JobsOptions.Retention"/> after the end. A call that makes no run, since another has its unique key, leaves
    /// its id free. A UUIDv7 keeps the index small. Default: none.
    /// </summary>
    public Guid? Id { get; init; }

    /// <summary>Not before this long from now, by the database's clock. Default: at once. Not together with <see cref="At"/>.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Not before this instant (ETA). Default: at once.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Another queue than the kind's.</summary>
    public string? Queue { get; init; }

    /// <summary>0 (first) to 9 (last).</summary>
    public int? Priority { get; init; }

    /// <summary>Attempts in all, 1 to 1,000.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>Longest time for one attempt.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether the result is written at all; one that another job takes always is.</summary>
    public bool? KeepResult { get; init; }

    /// <summary>How long the result is kept after the end, over zero; one that another job takes stays.</summary>
    public TimeSpan? ResultKept { get; init; }

    /// <summary>
    /// How long after it is due (its delay or instant; else its enqueueing) the run may still start; one that nobody has started by then ends as
    /// <see cref="JobRunState.Expired"/>. Not together with <see cref="ExpiresAt"/>.
    /// </summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>The instant from which the run may not start any more. Not before <see cref="At"/>.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Keys whose limits hold for this call beside those of its kind: <c>"tenant:42"</c>. <see cref="LimitAttribute"/> says what a key is.</summary>
    public IReadOnlyList<string>? Limits { get; init; }

    /// <summary>The unique key of this call, in the place of its kind's.</summary>
    public JobUnique? Unique { get; init; }

    /// <summary>Whose work it is: the tenants of one queue and priority take turns.</summary>
    public string? Tenant { get; init; }

    /// <summary>
    /// Words to find and cancel runs by, such as <c>customer:42</c>; 1 to 100 characters each, at most 20. The tags of the job that is
    /// enqueued go to every run of its graph, and a run's tags to the runs that its attempts enqueue. Default: none.
    /// </summary>
    public IReadOnlyCollection<string>? Tags { get; init; }

    /// <summary>These members, and where they say nothing those of <paramref name="under"/>. A delay and an instant are one answer to "when"; tags add up.</summary>
    internal EnqueueOptions Over(EnqueueOptions? under) => under is null ? this : new()
    {
        Id = Id ?? under.Id,
        Delay = Delay ?? (At is null ? under.Delay : null),
        At = At ?? (Delay is null ? under.At : null),
        Queue = Queue ?? under.Queue,
        Priority = Priority ?? under.Priority,
        MaxAttempts = MaxAttempts ?? under.MaxAttempts,
        Timeout = Timeout ?? under.Timeout,
        KeepResult = KeepResult ?? under.KeepResult,
        ResultKept = ResultKept ?? under.ResultKept,
        ExpiresAfter = ExpiresAfter ?? (ExpiresAt is null ? under.ExpiresAfter : null),
        ExpiresAt = ExpiresAt ?? (ExpiresAfter is null ? under.ExpiresAt : null),
        Limits = Limits ?? under.Limits,
        Unique = Unique ?? under.Unique,
        Tenant = Tenant ?? under.Tenant,
        Tags = Tags is null ? under.Tags : under.Tags is null ? Tags : [.. under.Tags.Union(Tags)],
    };
}
