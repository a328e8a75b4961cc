using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Jobs;

/// <summary>The attempt that this scope was made for. A scoped service; ask for it in the constructor of a job's class.</summary>
public sealed class JobContext
{
    private RunningAttempt? _attempt;

    /// <summary>The run's key.</summary>
    /// <exception cref="KeelbackException">KB1214: not inside a run; so for every member.</exception>
    public long RunId => Claim.RunId;

    /// <summary>From 1; crashes of workers count, attempts that a shutdown gave back do not.</summary>
    public int Attempt => Claim.Attempt;

    /// <summary>Attempts in all, those not counted that a worker's death ended; a rule for an exception may allow more or fewer.</summary>
    public int MaxAttempts => Claim.MaxAttempts;

    /// <summary>Earlier attempts whose worker died: what they had begun may be half done.</summary>
    public int Crashes => Claim.Crashes;

    /// <summary>The job's name in the database.</summary>
    public string Kind => Claim.Kind;

    /// <summary>Where it was claimed from.</summary>
    public string Queue => Attempting.Queue;

    /// <summary>By the database's clock, to the millisecond.</summary>
    public DateTimeOffset EnqueuedAt => JobRun.EnqueuedAtOf(RunId);

    /// <summary>When it was to start at the earliest; null: at once.</summary>
    public DateTimeOffset? DueAt => Claim.DueAt;

    /// <summary>When the token is cancelled for its timeout, by this machine's clock; null: never.</summary>
    public DateTimeOffset? Deadline => Attempting.Deadline;

    /// <summary>The run as which the graph was enqueued that this one belongs to; null: it stands alone.</summary>
    public long? RootId => Claim.RootId;

    /// <summary>The run whose attempt enqueued this one; null: none did.</summary>
    public long? ParentId => Claim.ParentId;

    /// <summary>The context whose transaction the run commits with; null when the job is not transactional, or outside of a run.</summary>
    internal DbContext? Db { get; set; }

    private RunningAttempt Attempting => _attempt ?? throw JobErrors.OutsideRun();

    internal Claim Claim => Attempting.Claim;

    /// <summary>The run as the database has it, with what earlier attempts reported.</summary>
    public async Task<JobRun> ReadAsync(CancellationToken ct = default) => await Attempting.ReadAsync(ct) ?? throw JobErrors.NoSuchRun(RunId);

    /// <summary>The attempts before this one, in order; the last one's error says what to do differently.</summary>
    public Task<IReadOnlyList<JobAttempt>> EarlierAttemptsAsync(CancellationToken ct = default) => Attempting.EarlierAsync(ct);

    /// <summary>
    /// Tells how far the attempt is, to whoever watches the run: any JSON up to 64 KB, the latest replaces the one before. Written at once, at
    /// most every <see cref="JobsOptions.ProgressInterval"/>, outside of a transactional job's transaction.
    /// </summary>
    /// <remarks>An attempt that has lost its run writes nothing, and its token is cancelled.</remarks>
    /// <exception cref="KeelbackException">KB1272: over 64 KB, or a NUL character in it.</exception>
    public Task ReportAsync<T>(T progress, CancellationToken ct = default) =>
        Attempting.ReportAsync(JsonSerializer.SerializeToUtf8Bytes(progress, JobJson.Options), ct);

    /// <summary>
    /// Puts a job, and whatever it waits for, in this one's place: <c>return context.Replace(graph);</c>. The run keeps its id and what follows it,
    /// gives up its slot, and ends as that job ends: with its result, or its error. Never returns.
    /// </summary>
    /// <remarks>
    /// The method has done its part: it does not run again when a job of the graph is retried. What a transactional job has written
    /// commits together with the graph. The graph's jobs belong to the run's graph, and have its tags.
    /// </remarks>
    /// <exception cref="KeelbackException">KB1244: the graph waits for a run that waits for this one. KB1208, KB1240 to KB1242: it cannot be enqueued.</exception>
    [DoesNotReturn]
    public T Replace<T>(Job<T> job)
    {
        Replace((Job)job);
        return default;
    }

    /// <inheritdoc cref="Replace{T}(Job{T})"/>
    [DoesNotReturn]
    public void Replace(Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        Attempting.Replacement = job;
        throw new JobReplacedException();
    }

    internal void Begin(RunningAttempt attempt) => _attempt = attempt;
}
