using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Data;

/// <summary>What a context still has to do before its outermost commit, and after it.</summary>
/// <remarks>One per context; a pooled context comes back empty. Higher packages join a commit through here.</remarks>
internal sealed class UnitOfWork(ICurrentDbContext current, OuterTransactionSource outer, ILoggerFactory logs)
    : IResettableService, IDisposable
{
    private readonly ILogger _log = logs.CreateLogger("Keelback.Data");
    private readonly List<Registered<IPendingWork>> _pending = [];
    private readonly List<Registered<Func<CancellationToken, Task>>> _callbacks = [];
    private readonly List<(string Name, long Mark)> _savepoints = [];
    private Func<CancellationToken, Task>[] _inDoubt = [];
    private long _next;
    private long _mark; // what was registered from here on belongs to the open transaction
    private int _ran;   // the first so many of _pending have run, and wait for the outcome

    /// <summary>True while SaveChanges is at work: its commit leaves the callbacks to its end, when the entities have their keys.</summary>
    public bool Saving { get; set; }

    public bool HasPending => _ran < _pending.Count;

    public bool IsEmpty => _pending.Count == 0 && _callbacks.Count == 0;

    /// <summary>Whether someone's transaction is open; the one that a test wraps around everything does not count.</summary>
    public bool InTransaction => current.Context.Database.CurrentTransaction is { } transaction && !outer.IsOuter(transaction);

    /// <exception cref="KeelbackException">KB1101: the context was set up without <c>UseKeelback()</c>.</exception>
    public static UnitOfWork Of(DbContext db) =>
        ((IInfrastructure<IServiceProvider>)db).Instance.GetService(typeof(UnitOfWork)) as UnitOfWork
        ?? throw DataErrors.ContextWithoutKeelback(db.GetType());

    /// <summary>Work that joins the transaction of the next SaveChanges, after the rows are written and their keys are known.</summary>
    /// <remarks>A SaveChanges that fails leaves it in place, like the entities; a commit without SaveChanges runs it too.</remarks>
    public void BeforeCommit(IPendingWork work) => _pending.Add(new(_next++, work));

    /// <summary>Runs after the outermost commit; dropped with the savepoint or transaction that is rolled back.</summary>
    public void OnCommit(Func<CancellationToken, Task> callback) => _callbacks.Add(new(_next++, callback));

    /// <summary>Runs what is pending in the open transaction; work may register more.</summary>
    public void RunPending()
    {
        var (connection, transaction) = Open();
        while (HasPending) _pending[_ran++].Value.Run(current.Context, connection, transaction);
    }

    /// <inheritdoc cref="RunPending"/>
    public async Task RunPendingAsync(CancellationToken ct)
    {
        var (connection, transaction) = Open();
        while (HasPending) await _pending[_ran++].Value.RunAsync(current.Context, connection, transaction, ct);
    }

    /// <summary>Runs what is pending because the transaction commits now.</summary>
    /// <exception cref="KeelbackException">KB1104: there are unsaved entities, which the work would see without row and key.</exception>
    public void Flush()
    {
        if (!HasPending) return;
        RequireSaved();
        RunPending();
    }

    /// <inheritdoc cref="Flush"/>
    public async Task FlushAsync(CancellationToken ct)
    {
        if (!HasPending) return;
        RequireSaved();
        await RunPendingAsync(ct);
    }

    /// <summary>A SaveChanges went well: what it ran is done with, and what waits for the commit waits for this transaction's.</summary>
    public void Saved()
    {
        _pending.RemoveRange(0, _ran);
        _ran = 0;
        if (InTransaction) _mark = 0;
    }

    public void Began() => (_mark, _inDoubt) = (_next, []);

    public void SavepointCreated(string name) => _savepoints.Add((name, _next));

    public void SavepointReleased(string name)
    {
        var index = _savepoints.FindLastIndex(s => s.Name == name);
        if (index >= 0) _savepoints.RemoveRange(index, _savepoints.Count - index);
    }

    public void RolledBackTo(string name)
    {
        var index = _savepoints.FindLastIndex(s => s.Name == name);
        if (index < 0) return;

        Drop(_savepoints[index].Mark);
        _savepoints.RemoveRange(index + 1, _savepoints.Count - index - 1); // the savepoint itself lives on
    }

    public void SavepointLost(Exception e) => Log.SavepointLost(_log, e);

    public void RolledBack()
    {
        Drop(_mark);
        _savepoints.Clear();
    }

    public void Committed()
    {
        _pending.RemoveRange(0, _ran);
        _ran = 0;
        _savepoints.Clear();
    }

    /// <summary>The answer to COMMIT was lost: the callbacks wait for <see cref="Confirmed"/>.</summary>
    public void CommitFailed() => _inDoubt = [.. _callbacks.Select(c => c.Value)];

    /// <summary>The transaction whose COMMIT went unanswered was found committed.</summary>
    public void Confirmed()
    {
        _callbacks.Clear();
        foreach (var callback in _inDoubt) OnCommit(callback);
        _inDoubt = [];
        _pending.Clear();
        _ran = 0;
    }

    /// <summary>Runs the callbacks in their order, each by itself: one that throws is logged, and the next one runs.</summary>
    public async Task RunCallbacksAsync(CancellationToken ct)
    {
        while (_callbacks.Count > 0)
        {
            var callbacks = _callbacks.ToArray();
            _callbacks.Clear(); // a callback may save, commit and register anew

            foreach (var callback in callbacks)
            {
                if (outer.Capture(callback.Value)) continue;

                try
                {
                    await callback.Value(ct);
                }
                catch (Exception e)
                {
                    Log.CallbackFailed(_log, e);
                }
            }
        }
    }

    /// <summary>In the synchronous colour: a callback that awaits is waited for.</summary>
    public void RunCallbacks()
    {
        if (_callbacks.Count > 0) RunCallbacksAsync(CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>The change tracker forgot its unsaved entities, and with them goes what was to be done for them.</summary>
    public void Forget()
    {
        _pending.RemoveRange(_ran, _pending.Count - _ran);
        if (!InTransaction) _callbacks.Clear();
    }

    private void Clear()
    {
        _pending.Clear();
        _callbacks.Clear();
        _savepoints.Clear();
        _inDoubt = [];
        (_ran, _mark, Saving) = (0, 0, false);
    }

    public void ResetState()
    {
        if (!IsEmpty) Log.ContextEndedWithWork(_log, current.Context.GetType().Name, _pending.Count, _callbacks.Count);
        Clear();
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    public void Dispose() => ResetState();

    private void RequireSaved()
    {
        if (!Saving && current.Context.ChangeTracker.HasChanges()) throw DataErrors.CommitBeforeSave(current.Context.GetType());
    }

    private (NpgsqlConnection Connection, NpgsqlTransaction Transaction) Open()
    {
        var transaction = (NpgsqlTransaction)current.Context.Database.CurrentTransaction!.GetDbTransaction();
        return (transaction.Connection!, transaction);
    }

    private void Drop(long mark)
    {
        _pending.RemoveAll(p => p.Order >= mark);
        _callbacks.RemoveAll(c => c.Order >= mark);
        _ran = 0;
    }

    private readonly record struct Registered<T>(long Order, T Value);
}
