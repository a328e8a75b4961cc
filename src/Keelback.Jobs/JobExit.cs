using System.Diagnostics.CodeAnalysis;

namespace Keelback.Jobs;

/// <summary>How a job ends its attempt in another way than by its result: <c>throw JobExit.Snooze(TimeSpan.FromMinutes(5));</c></summary>
/// <remarks>Nothing of it is an error to be logged with a stack. A transactional job's changes are rolled back with it.</remarks>
[SuppressMessage("Naming", "CA1710", Justification = "It is thrown, and is no error.")]
[SuppressMessage("Design", "CA1032", Justification = "There are these four exits.")]
public sealed class JobExit : Exception
{
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(36_525);

    private JobExit(JobExitKind kind, TimeSpan? delay, string message)
        : base(message) => (Kind, Delay) = (kind, delay);

    /// <summary>Which of the four it is.</summary>
    public JobExitKind Kind { get; }

    /// <summary>Until the next attempt, by the database's clock; null: as the kind's backoff has it, or there is none.</summary>
    public TimeSpan? Delay { get; }

    /// <summary>Try again: the attempt counts as failed. The last one ends the run as failed.</summary>
    /// <param name="after">Exactly this long from now, without jitter; default: the kind's backoff.</param>
    /// <param name="reason">What the attempt's error says.</param>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or over 100 years.</exception>
    public static JobExit Retry(TimeSpan? after = null, string? reason = null) =>
        new(JobExitKind.Retry, after is { } delay ? Checked(delay) : null, reason ?? "The job asked to be tried again.");

    /// <summary>Not yet: the run waits, its attempt given back, however often it does so.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or over 100 years.</exception>
    public static JobExit Snooze(TimeSpan delay) => new(JobExitKind.Snooze, Checked(delay), "The job is not ready to run yet.");

    /// <summary>There is nothing to do: the run ends as <see cref="JobRunState.Skipped"/>, with no result and no failed attempt.</summary>
    public static JobExit Ignore(string? reason = null) => new(JobExitKind.Ignore, null, reason ?? "The job had nothing to do.");

    /// <summary>It will never work: the run ends as <see cref="JobRunState.Failed"/> at once, whatever attempts are left.</summary>
    public static JobExit Reject(string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return new(JobExitKind.Reject, null, reason);
    }

    private static TimeSpan Checked(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay, s_longest);
        return delay;
    }
}

/// <summary>The ways in which a <see cref="JobExit"/> ends an attempt.</summary>
public enum JobExitKind
{
    /// <summary>A failed attempt, and another one.</summary>
    Retry,

    /// <summary>No attempt at all, and another one later.</summary>
    Snooze,

    /// <summary>The run is skipped.</summary>
    Ignore,

    /// <summary>The run has failed.</summary>
    Reject,
}
