using Microsoft.Extensions.Options;

namespace Keelback.Jobs;

/// <summary>How this process runs jobs. Bound from the <c>Keelback:Jobs</c> section.</summary>
public sealed class JobsOptions
{
    /// <summary>Whether this process runs jobs; false: it only enqueues. Default true.</summary>
    public bool RunWorker { get; set; } = true;

    /// <summary>Jobs run at once by this process, 1 to 1,000. Default 10; each may hold one connection, so the pool must be larger.</summary>
    public int Concurrency { get; set; } = 10;

    /// <summary>
    /// The least to which the jobs at once shrink when there is little to do; they grow to <see cref="Concurrency"/>, by doubling, when every slot is
    /// taken and more waits. Default: none, which is always <see cref="Concurrency"/>.
    /// </summary>
    public int? MinConcurrency { get; set; }

    /// <summary>The queues this process takes jobs from. Default: none named, which is all of the app's.</summary>
    public IList<string> Queues { get; } = [];

    /// <summary>Longest sleep between looks for work when nothing wakes the worker, up to 1 h. Default 1 s.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long this worker counts as alive without a heartbeat. Default 15 s; must be over twice <see cref="Heartbeat"/>, up to 7 days.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often this worker renews its lease, by its own thread and connection, up to 1 h. Default 5 s.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stopping worker waits for its jobs; then they are cancelled and handed back with their attempt. Up to 1 day, default 20 s.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Upper bound of the wait before the second attempt; it doubles with each further one. Up to 7 days, default 5 s.</summary>
    /// <remarks>The wait is drawn evenly between zero and the bound ("full jitter"), so that what failed together does not come back together.</remarks>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The bound never grows over this, but for a job that gives a longer <see cref="JobAttribute.RetryDelay"/> itself. Up to 7 days, default 1 h.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What exceptions mean for every job, after the kind's own rules: <c>o.Rules.Add(new NoRetryAttribute&lt;ArgumentException&gt;())</c>. Default: none.</summary>
    public IList<ExceptionRuleAttribute> Rules { get; } = [];

    /// <summary>How long enqueueing outside of a transaction goes on trying while the database is away, up to 1 h. Default 10 s; zero: one try.</summary>
    public TimeSpan EnqueuePatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gives every call outside of a transaction an id before it is written, so that one whose answer was lost can be written again; default
    /// false: such a call is a KB1270, unless it is a graph or has an <see cref="EnqueueOptions.Id"/>, which have theirs anyway. Costs a call four small round trips.
    /// </summary>
    public bool IdempotentEnqueue { get; set; }

    /// <summary>The least time between two reports of an attempt that are written, up to 1 h. Default 250 ms.</summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long an attempt may go on after its token was cancelled, whatever for; then its run goes on without it and its slot is free. Default 3 s, at most 4 s.</summary>
    public TimeSpan AbandonAfter { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Lines that are kept of what one attempt logs, 0 to 10,000, and 64 KB. Default 500; zero: none.</summary>
    public int LogLines { get; set; } = 500;

    /// <summary>
    /// Jobs after which the worker drains and stops the process, so that a supervisor starts a fresh one; what still runs after
    /// <see cref="ShutdownTimeout"/> is cancelled and handed back with its attempt. Default: never.
    /// </summary>
    public int? RecycleAfterJobs { get; set; }

    /// <summary>Bytes of working set above which it does the same. Default: never.</summary>
    public long? RecycleAboveMemory { get; set; }

    /// <summary>What such a process exits with. Default 75, "try again"; a supervisor that restarts after failures only needs one over zero.</summary>
    public int RecycleExitCode { get; set; } = 75;

    /// <summary>Whether the process ends when its worker was told to stop from afar. Default false; true in the <c>worker</c> command.</summary>
    public bool StopHost { get; set; }

    /// <summary>
    /// Bytes that a job's arguments, or its result, may take as JSON, 1 KB to 64 MB. Default 256 KB: more belongs where files are. PostgreSQL keeps what
    /// is over 2 KB out of the row, compressed.
    /// </summary>
    public int MaxPayload { get; set; } = PayloadRules.MaxBytes;

    /// <summary>Keys of [Secret] parameters, each 32 bytes as base64: the first encrypts, the others still decrypt. Default: none, which is the app's data protection.</summary>
    public IList<string> SecretKeys { get; } = [];

    /// <summary>
    /// A run whose worker died this often is quarantined, whatever its attempts: it may be what kills them. Default 5. With 3 or more, one run that
    /// kills brings no other there, since a worker runs only one at a time of those that two have died with.
    /// </summary>
    public int CrashLimit { get; set; } = 5;

    /// <summary>
    /// How long a lane's oldest run waits until its priority counts as one level more urgent, up to 7 days. Default: none, so that urgent work always goes first,
    /// and a flood of it starves the rest.
    /// </summary>
    public TimeSpan? PriorityAging { get; set; }

    /// <summary>The numbers of limits by name; they win over those of a <see cref="LimitAttribute"/>, and what <see cref="JobLimits"/> set at run time wins over these.</summary>
    public IDictionary<string, JobLimit> Limits { get; } = new Dictionary<string, JobLimit>(StringComparer.Ordinal);

    /// <summary>How long ended runs, with their results and errors, are kept at least. Default 7 days; they go by whole weeks. Up to 100 years.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);

    internal List<CodeSchedule> Schedules { get; } = [];

    /// <summary>Enqueues a call at each tick of a trigger, once, however many nodes run.</summary>
    /// <param name="name">Unique in the app; what the schedule keeps its place by.</param>
    /// <param name="trigger">When it ticks.</param>
    /// <param name="call">
    /// Evaluated at each tick, on the node that fires it; the expression may be a whole graph. Also once at each start of each process, to know which
    /// jobs it enqueues, so it should only describe: what it throws there is a warning, and at a tick a failed tick.
    /// </param>
    /// <param name="options">What it does beside ticking.</param>
    /// <remarks>A mistake in it (KB1256 to KB1258) is told at start, with all others.</remarks>
    public void AddSchedule(string name, Trigger trigger, Func<Job> call, ScheduleOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(call);
        AddSchedule(name, trigger, _ => call(), options);
    }

    /// <inheritdoc cref="AddSchedule(string, Trigger, Func{Job}, ScheduleOptions)"/>
    /// <summary>The same, of a call that depends on the tick.</summary>
    public void AddSchedule(string name, Trigger trigger, Func<ScheduleTick, Job> call, ScheduleOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(trigger);
        ArgumentNullException.ThrowIfNull(call);
        Schedules.Add(new(name, trigger, call, options ?? new()));
    }
}

internal sealed class JobsOptionsValidator : IValidateOptions<JobsOptions>
{
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1), s_day = TimeSpan.FromDays(1), s_week = TimeSpan.FromDays(7), s_century = TimeSpan.FromDays(36_525);

    public ValidateOptionsResult Validate(string? name, JobsOptions o)
    {
        var mistakes = new List<string>();

        if (o.Concurrency is < 1 or > 1000)
            mistakes.Add($"{Key(nameof(o.Concurrency))} ({o.Concurrency}) must be 1 to 1,000.");
        if (o.Lease <= 2 * o.Heartbeat)
            mistakes.Add($"{Key(nameof(o.Lease))} ({o.Lease}) must be over twice {nameof(o.Heartbeat)} ({o.Heartbeat}): " +
                "one late heartbeat would end it. Raise the lease.");
        if (o.CrashLimit < 1)
            mistakes.Add($"{Key(nameof(o.CrashLimit))} ({o.CrashLimit}) must be 1 or more.");
        if (o.MaxRetryDelay < o.RetryDelay)
            mistakes.Add($"{Key(nameof(o.MaxRetryDelay))} ({o.MaxRetryDelay}) must not be under {nameof(o.RetryDelay)} ({o.RetryDelay}).");

        foreach (var rule in o.Rules.OfType<RetryRuleAttribute>())
        {
            if (rule.MaxAttempts is < 0 or > 1000)
                mistakes.Add($"{Key(nameof(o.Rules))}: the attempts after {rule.Exception.Name} ({rule.MaxAttempts}) must be 1 to 1,000, or 0 for the kind's.");
            foreach (var text in new[] { rule.Delay, rule.MaxDelay })
                if (text is not null && JobDuration.Parse(text) is null)
                    mistakes.Add($"{Key(nameof(o.Rules))}: a wait after {rule.Exception.Name} {JobDuration.Mistake(text)}");
            if (!Enum.IsDefined(rule.Backoff))
                mistakes.Add($"{Key(nameof(o.Rules))}: there is no {nameof(RetryBackoff)} {rule.Backoff}, which a rule for {rule.Exception.Name} has.");
        }

        foreach (var (key, value) in new[]
        {
            (nameof(o.PollInterval), o.PollInterval), (nameof(o.Heartbeat), o.Heartbeat), (nameof(o.RetryDelay), o.RetryDelay),
            (nameof(o.Retention), o.Retention),
        })
            if (value <= TimeSpan.Zero) mistakes.Add($"{Key(key)} ({value}) must be more than zero.");

        // Nobody means more: the settings' own reader takes 60 for 60 days.
        foreach (var (key, value, most) in new (string, TimeSpan?, TimeSpan)[]
        {
            (nameof(o.PollInterval), o.PollInterval, s_hour), (nameof(o.Heartbeat), o.Heartbeat, s_hour), (nameof(o.ProgressInterval), o.ProgressInterval, s_hour),
            (nameof(o.EnqueuePatience), o.EnqueuePatience, s_hour), (nameof(o.ShutdownTimeout), o.ShutdownTimeout, s_day), (nameof(o.Lease), o.Lease, s_week),
            (nameof(o.RetryDelay), o.RetryDelay, s_week), (nameof(o.MaxRetryDelay), o.MaxRetryDelay, s_week), (nameof(o.PriorityAging), o.PriorityAging, s_week),
            (nameof(o.Retention), o.Retention, s_century),
        })
            if (value > most) mistakes.Add($"{Key(key)} ({value}) must not be over {most}. A number alone is days: 30 seconds are 00:00:30.");

        if (o.MinConcurrency is { } least && (least < 1 || least > o.Concurrency))
            mistakes.Add($"{Key(nameof(o.MinConcurrency))} ({least}) must be 1 to {nameof(o.Concurrency)} ({o.Concurrency}).");
        if (o.AbandonAfter < TimeSpan.Zero || o.AbandonAfter > TimeSpan.FromSeconds(4))
            mistakes.Add($"{Key(nameof(o.AbandonAfter))} ({o.AbandonAfter}) must be 0 to 4 s: after 5 s the database takes the run away by itself.");
        if (o.LogLines is < 0 or > 10_000)
            mistakes.Add($"{Key(nameof(o.LogLines))} ({o.LogLines}) must be 0 to 10,000.");
        if (o.RecycleAfterJobs < 1)
            mistakes.Add($"{Key(nameof(o.RecycleAfterJobs))} ({o.RecycleAfterJobs}) must be 1 or more.");
        if (o.RecycleAboveMemory < 1)
            mistakes.Add($"{Key(nameof(o.RecycleAboveMemory))} ({o.RecycleAboveMemory}) must be 1 or more.");
        if (o.MaxPayload is < 1024 or > 64 * 1024 * 1024)
            mistakes.Add($"{Key(nameof(o.MaxPayload))} ({o.MaxPayload}) must be 1,024 to 67,108,864.");
        foreach (var key in o.SecretKeys)
            if (!Convert.TryFromBase64String(key, new byte[key.Length], out var bytes) || bytes != 32)
                mistakes.Add($"{Key(nameof(o.SecretKeys))}: a key must be 32 bytes as base64: openssl rand -base64 32.");
        if (o.ProgressInterval < TimeSpan.Zero)
            mistakes.Add($"{Key(nameof(o.ProgressInterval))} ({o.ProgressInterval}) must not be negative.");
        if (o.EnqueuePatience < TimeSpan.Zero)
            mistakes.Add($"{Key(nameof(o.EnqueuePatience))} ({o.EnqueuePatience}) must not be negative.");
        if (o.PriorityAging <= TimeSpan.Zero)
            mistakes.Add($"{Key(nameof(o.PriorityAging))} ({o.PriorityAging}) must be more than zero, or not set.");
        foreach (var (limit, numbers) in o.Limits)
        {
            if (numbers.Mistake() is { } mistake) mistakes.Add($"{Key(nameof(o.Limits))}:{limit}: {mistake}");
            if (JobLimits.NameMistake(limit) is { } wrong) mistakes.Add($"{Key(nameof(o.Limits))}:{JobErrors.Shown(limit)}: {wrong}");
        }

        foreach (var queue in o.Queues)
            if (PlannedRun.NameMistake(queue) is { } wrong) mistakes.Add($"{Key(nameof(o.Queues))}: '{JobErrors.Shown(queue)}': {wrong}");

        if (o.ShutdownTimeout < TimeSpan.Zero)
            mistakes.Add($"{Key(nameof(o.ShutdownTimeout))} ({o.ShutdownTimeout}) must not be negative.");

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static string Key(string member) => $"Keelback:Jobs:{member}";
}
