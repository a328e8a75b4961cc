namespace Keelback.Jobs.Tests.Simulation;

/// <summary>What is enqueued. <see cref="Ups"/> are runs that exist, or places of earlier calls in the same graph as negative numbers from -1.</summary>
internal sealed record SimCall
{
    public int MaxAttempts { get; init; } = 4;

    public int Priority { get; init; } = 4;

    public TimeSpan? Delay { get; init; }

    public TimeSpan? Timeout { get; init; }

    public TimeSpan? ExpiresAfter { get; init; }

    public string? Limit { get; init; }

    /// <summary>Whether each attempt takes its worker with it.</summary>
    public bool Kills { get; init; }

    /// <summary>How long an attempt takes at least.</summary>
    public TimeSpan Takes { get; init; }

    public IReadOnlyList<(long Up, JobEdgeRule Rule)> Ups { get; init; } = [];

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"(attempts {MaxAttempts}, priority {Priority}, delay {Delay}, timeout {Timeout}, expires after {ExpiresAfter}, limit {Limit}, takes {Takes}, kills {Kills})");
}

/// <summary>A run's body.</summary>
internal sealed class SimRun(long id, SimCall call)
{
    public long Id => id;

    public SimCall Call => call;

    public JobRunState State { get; set; } = JobRunState.Ready;

    public bool IsOpen => State == JobRunState.Ready;

    public bool Followed { get; set; }

    public bool Settles { get; set; }

    public int? Attempt { get; set; }

    public int MaxAttempts { get; set; } = call.MaxAttempts;

    public int BaseAttempt { get; set; }

    /// <summary>The run that its graph was enqueued as; null: it is alone.</summary>
    public SimRun? Root { get; set; }

    /// <summary>Whether an attempt that began was given back.</summary>
    public bool WasStarted { get; set; }

    /// <summary>The greatest number among its attempts that did not succeed.</summary>
    public int LastFailure { get; set; }

    /// <summary>Those that a worker, or a deadline, told of.</summary>
    public HashSet<(int Attempt, JobAttemptOutcome Outcome)> Failures { get; } = [];

    public DateTimeOffset? DueAt { get; set; }

    public DateTimeOffset? ExpiresAt { get; set; }

    public string? Output { get; set; }

    public List<SimEdge> Above { get; } = [];

    public List<SimEdge> Below { get; } = [];

    /// <summary>Whether its end opens an edge of this rule.</summary>
    public bool Opens(JobEdgeRule rule) => rule switch
    {
        JobEdgeRule.Success => State == JobRunState.Succeeded,
        JobEdgeRule.Failure => State is not (JobRunState.Succeeded or JobRunState.Skipped),
        _ => true,
    };

    public override string ToString() => $"run {id}";
}

internal sealed class SimEdge(SimRun up, SimRun down, JobEdgeRule rule)
{
    public SimRun Up => up;

    public SimRun Down => down;

    public JobEdgeRule Rule => rule;

    public bool Done { get; set; }
}

internal sealed record ReadyRow(SimRun Run, long Seq, int Attempt, int Crashes)
{
    public bool IsSuspect => Crashes >= Claim.SuspectFrom;
}

internal sealed record TimerRow(DateTimeOffset At, SimRun Run, TimerWhat What, int Attempt, int Crashes);

internal sealed record WaitRow(SimRun Run, int Attempt)
{
    public int Pending { get; set; }
}

internal sealed record ClaimRow(SimRun Run, long Token, int Worker, long Epoch, int Attempt, int Crashes, DateTimeOffset At);

/// <summary>What a timer does when it is due; the numbers are the schema's.</summary>
internal enum TimerWhat
{
    Ready,
    Deadline,
    Expiry,
}
