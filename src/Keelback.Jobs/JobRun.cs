using System.Text.Json;

namespace Keelback.Jobs;

/// <summary>One run as the database has it at this moment.</summary>
/// <param name="Id">Its key; grows with time.</param>
/// <param name="Kind">Which job.</param>
/// <param name="Queue">Where it waits, or waited.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Attempt">Attempts spent, the running one included; 0 before the first. Attempts that a shutdown gave back are not in it.</param>
/// <param name="EnqueuedAt">By the database's clock.</param>
/// <param name="FinishedAt">When it ended; null while it is open.</param>
/// <param name="Output">JSON of the result, its secrets sealed; null when there is none.</param>
/// <param name="Error">Why it ended without one.</param>
public sealed record JobRun(
    long Id, string Kind, string Queue, JobRunState State, int Attempt,
    DateTimeOffset EnqueuedAt, DateTimeOffset? FinishedAt, JsonElement? Output, JobError? Error)
{
    /// <summary>Whether nothing about it will change any more.</summary>
    public bool HasEnded => State >= JobRunState.Succeeded;

    /// <summary>What the job reported last, by <see cref="JobContext.ReportAsync"/>, its secrets sealed; null: nothing.</summary>
    public JsonElement? Progress { get; init; }

    /// <summary>When it reported that.</summary>
    public DateTimeOffset? ReportedAt { get; init; }

    /// <summary>How long its result is kept after the end; zero: not at all; null: as long as the run.</summary>
    public TimeSpan? ResultKept { get; init; }

    internal JobSecrets? Secrets { get; init; }

    /// <summary>What it reported last.</summary>
    /// <exception cref="KeelbackException">KB1278: no key opens a secret in it. KB1285: it is not a <typeparamref name="T"/>.</exception>
    public T? ProgressAs<T>() => Progress is { } progress ? Read<T>(progress, "progress") : default;

    internal static DateTimeOffset EnqueuedAtOf(long id) => DateTimeOffset.FromUnixTimeMilliseconds((id >> 22) + 1577836800000);

    /// <summary>The result.</summary>
    /// <exception cref="KeelbackException">KB1209: it did not succeed, or not yet. KB1274: it is not kept, or not any more. KB1278: no key opens a secret in it. KB1285: it is not a <typeparamref name="T"/>.</exception>
    public T? Result<T>() => State switch
    {
        JobRunState.Succeeded when Output is null && ResultKept is not null => throw JobErrors.ResultNotKept(this),
        JobRunState.Succeeded when Output is { } output => Read<T>(output, "result"),
        JobRunState.Succeeded => default,
        _ => throw JobErrors.NoResult(this),
    };

    private T? Read<T>(JsonElement json, string what)
    {
        try
        {
            return (Secrets?.Open(Kind, json) ?? json).Deserialize<T>(JobJson.Options);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw JobErrors.DoesNotFit(what, this, typeof(T), e);
        }
    }
}

/// <summary>Why an attempt or a run did not succeed.</summary>
/// <param name="Type">The exception's full type name, or a word of ours such as <c>UpstreamFailed</c>.</param>
/// <param name="Message">The exception's message.</param>
/// <param name="Details">The whole exception as .NET writes it: types, messages and stacks, inner exceptions included, cut at 8,000 characters; null when none was thrown.</param>
public sealed record JobError(string Type, string Message, string? Details = null)
{
    internal static JobError From(Exception e) => new(e.GetType().FullName!, StorableText.Of(e.Message, 2000), StorableText.Of(e.ToString(), 8000));

    /// <summary>In the job's own words: no exception, no stack.</summary>
    internal static JobError Said(string type, string message) => new(type, StorableText.Of(message, 2000));

    // jsonb refuses NUL and half surrogate pairs, and an error must always be storable: its texts are StorableText.
    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, JobJson.Options);
}

/// <summary>One attempt that did not succeed.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="StartedAt">By the database's clock.</param>
/// <param name="EndedAt">By the database's clock.</param>
/// <param name="Error">What went wrong.</param>
/// <param name="RetryAt">When the next was due; null when there was none.</param>
public sealed record JobAttempt(
    int Number, JobAttemptOutcome Outcome, DateTimeOffset StartedAt, DateTimeOffset EndedAt, JobError? Error, DateTimeOffset? RetryAt);

/// <summary>How an attempt ended that did not succeed.</summary>
public enum JobAttemptOutcome
{
    /// <summary>It threw.</summary>
    Failed,

    /// <summary>Its worker died, or lost its lease.</summary>
    Crashed,

    /// <summary>It took longer than its timeout.</summary>
    TimedOut,
}
