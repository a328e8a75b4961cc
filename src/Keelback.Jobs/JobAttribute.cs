namespace Keelback.Jobs;

/// <summary>Makes a method a job: the generator adds a static of the same name, without the token, that describes a call.</summary>
/// <remarks>The class must be <c>partial</c>; the method returns <see cref="Task"/> or <see cref="Task{TResult}"/> and takes a <see cref="CancellationToken"/> last.</remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class JobAttribute : Attribute
{
    /// <summary>A job whose kind is <c>Class.Method</c>, without the namespace; of a nested class <c>Outer.Class.Method</c>.</summary>
    public JobAttribute()
    {
    }

    /// <summary>A job with a kind of its own; keep it when you rename the method, so that rows in flight still find it.</summary>
    public JobAttribute(string kind) => Kind = kind;

    /// <summary>The name in the database. Default: <c>Class.Method</c>.</summary>
    public string? Kind { get; }

    /// <summary>
    /// Of the payload. Raise it when rows of older code need an <see cref="UpgradeAttribute{T}"/>; older code that meets a newer row hands it back. 1 to
    /// 30,000. Default 1.
    /// </summary>
    public int Version { get; set; } = 1;

    /// <summary>Default <c>default</c>.</summary>
    public string Queue { get; set; } = "default";

    /// <summary>0 (first) to 9 (last). Default 4.</summary>
    public int Priority { get; set; } = 4;

    /// <summary>Attempts in all, 1 to 1,000. Default 4.</summary>
    public int MaxAttempts { get; set; } = 4;

    /// <summary>Upper bound of the wait before the second attempt, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>. Default: <see cref="JobsOptions.RetryDelay"/>.</summary>
    public string? RetryDelay { get; set; }

    /// <summary>The bound never grows over this, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>. Default: <see cref="JobsOptions.MaxRetryDelay"/>, or <see cref="RetryDelay"/> where that is more.</summary>
    public string? MaxRetryDelay { get; set; }

    /// <summary>How the bound grows. Default: it doubles.</summary>
    public RetryBackoff Backoff { get; set; }

    /// <summary>Draws each wait evenly between zero and the bound, so that what failed together does not come back together; false: waits the bound itself. Default true.</summary>
    public bool Jitter { get; set; } = true;

    /// <summary>Longest time for one attempt, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>. Default: none.</summary>
    public string? Timeout { get; set; }

    /// <summary>False: the result is not written, unless another job takes it. Default true.</summary>
    public bool KeepResult { get; set; } = true;

    /// <summary>How long the result is kept after the end, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>, unless another job takes it. Default: as long as the run.</summary>
    public string? ResultKept { get; set; }

    /// <summary>
    /// How long after it is due (its delay or instant; else its enqueueing) a run may still start, as <c>hh:mm:ss</c> or <c>d.hh:mm:ss</c>. One that nobody has started by
    /// then ends as <see cref="JobRunState.Expired"/>; one that has started may be tried again later. Default: it never expires.
    /// </summary>
    public string? ExpiresAfter { get; set; }

    /// <summary>
    /// Whose work it is, as <c>"{tenantId}"</c>, 1 to 200 characters: the tenants of one queue and priority take turns, however much one of them has
    /// waiting. Default: nobody's; such runs take one turn among those of the tenants.
    /// </summary>
    public string? Tenant { get; set; }

    /// <summary>
    /// Runs the method inside a transaction on the scope's DbContext (<see cref="Context"/>) whose last statement before COMMIT is the run's own
    /// fenced completion: its effects in the database happen exactly once. Default false: at least once.
    /// </summary>
    /// <remarks>Of one context only: what the job does with another commits by itself, attempt by attempt, and it cannot enqueue with that (KB1299).</remarks>
    public bool Transactional { get; set; }

    /// <summary>
    /// The context whose transaction a <see cref="Transactional"/> job commits with: the one that its class takes. Default: the app's only one; with
    /// several of <c>AddData</c> a job that names none does not start (KB1296), nor one that names what is not there (KB1297) or what its class does not take (KB1298).
    /// </summary>
    public Type? Context { get; set; }
}
