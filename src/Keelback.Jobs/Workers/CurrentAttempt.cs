using Microsoft.EntityFrameworkCore;

namespace Keelback.Jobs;

/// <summary>The attempt that the calling code is part of, whatever its scope: what it enqueues is the run's child, and it may not wait for a run.</summary>
internal sealed class CurrentAttempt
{
    private readonly AsyncLocal<Attempt?> _attempt = new();

    /// <summary>Null: not inside an attempt.</summary>
    public long? Run => _attempt.Value?.Run;

    /// <summary>False for what an attempt has begun and left behind at its end, which holds no slot.</summary>
    public bool IsRunning => _attempt.Value is { HasEnded: false };

    /// <summary>For the rest of the calling method, and what it calls; ends when disposed.</summary>
    public IDisposable Begin(long run) => _attempt.Value = new(run);

    /// <summary>The attempt is transactional, on this context of its scope.</summary>
    public void CommitsWith(DbContext db, IServiceProvider scope) => _attempt.Value!.Transaction = (db, scope);

    /// <summary>A job's transaction takes what its scope enqueues; another context of that scope would commit it whatever becomes of the attempt.</summary>
    /// <remarks>A context of a scope that the job made is its own affair.</remarks>
    /// <exception cref="KeelbackException">KB1299: it is such another context.</exception>
    public void RefuseOutside(DbContext db)
    {
        if (_attempt.Value is { HasEnded: false, Transaction: var (own, scope) } && own != db && scope.GetService(db.GetType()) == db)
            throw JobErrors.EnqueuedOutside(own, db);
    }

    private sealed class Attempt(long run) : IDisposable
    {
        private volatile bool _hasEnded;

        public long Run => run;

        public (DbContext Db, IServiceProvider Scope)? Transaction { get; set; }

        public bool HasEnded => _hasEnded;

        public void Dispose() => _hasEnded = true;
    }
}
