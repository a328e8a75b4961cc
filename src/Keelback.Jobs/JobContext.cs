using Microsoft.EntityFrameworkCore;

namespace Keelback.Jobs;

/// <summary>The attempt that this scope was made for. A scoped service; ask for it in the constructor of a job's class.</summary>
public sealed class JobContext
{
    private RunningAttempt? _attempt;

    /// <summary>The run's key.</summary>
    /// <exception cref="KeelbackException">KB1214: not inside a run; so for every property.</exception>
    public long RunId => Attempting.RunId;

    /// <summary>From 1; crashes of workers count, attempts that a shutdown gave back do not.</summary>
    public int Attempt => Attempting.Attempt;

    /// <summary>The job's name in the database.</summary>
    public string Kind => Attempting.Kind;

    /// <summary>The context whose transaction the run commits with; null when the job is not transactional, or outside of a run.</summary>
    internal DbContext? Db { get; set; }

    private RunningAttempt Attempting => _attempt ?? throw JobErrors.OutsideRun();

    internal void Begin(Claim claim) => _attempt = new(claim.RunId, claim.Attempt, claim.Kind);

    private sealed record RunningAttempt(long RunId, int Attempt, string Kind);
}
