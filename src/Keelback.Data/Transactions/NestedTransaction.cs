using System.Data.Common;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>A transaction of the app inside the one that a test rolls back: a savepoint that behaves like a transaction.</summary>
internal sealed class NestedTransaction(UnitOfWork unit, IDbContextTransaction outer, DbTransaction transaction, Action closed)
    : IDbContextTransaction, IInfrastructure<DbTransaction>
{
    private const string Name = "keelback_begin";
    private bool _ended;

    public Guid TransactionId { get; } = Guid.CreateVersion7();

    public bool SupportsSavepoints => true;

    DbTransaction IInfrastructure<DbTransaction>.Instance => transaction;

    public void Begin()
    {
        transaction.Save(Name);
        unit.Began();
    }

    public async Task BeginAsync(CancellationToken ct)
    {
        await transaction.SaveAsync(Name, ct);
        unit.Began();
    }

    public void Commit()
    {
        unit.Flush();
        transaction.Release(Name);
        End();
        unit.Committed();
        if (!unit.Saving) unit.RunCallbacks();
    }

    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        await unit.FlushAsync(cancellationToken);
        await transaction.ReleaseAsync(Name, cancellationToken);
        End();
        unit.Committed();
        if (!unit.Saving) await unit.RunCallbacksAsync(cancellationToken);
    }

    public void Rollback()
    {
        transaction.Rollback(Name);
        End();
        unit.RolledBack();
    }

    public async Task RollbackAsync(CancellationToken cancellationToken = default)
    {
        await transaction.RollbackAsync(Name, cancellationToken);
        End();
        unit.RolledBack();
    }

    public void CreateSavepoint(string name) => outer.CreateSavepoint(name);

    public Task CreateSavepointAsync(string name, CancellationToken cancellationToken = default) =>
        outer.CreateSavepointAsync(name, cancellationToken);

    public void RollbackToSavepoint(string name) => outer.RollbackToSavepoint(name);

    public Task RollbackToSavepointAsync(string name, CancellationToken cancellationToken = default) =>
        outer.RollbackToSavepointAsync(name, cancellationToken);

    public void ReleaseSavepoint(string name) => outer.ReleaseSavepoint(name);

    public Task ReleaseSavepointAsync(string name, CancellationToken cancellationToken = default) =>
        outer.ReleaseSavepointAsync(name, cancellationToken);

    public void Dispose()
    {
        if (!_ended) Rollback();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_ended) await RollbackAsync();
    }

    private void End()
    {
        _ended = true;
        closed();
    }
}
