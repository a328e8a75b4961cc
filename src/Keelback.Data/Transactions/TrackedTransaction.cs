using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>EF's transaction, which tells the unit of work what became of it.</summary>
/// <remarks>Not an interceptor: EF calls those while the finished transaction is still the connection's, so a callback could not query.</remarks>
internal sealed class TrackedTransaction(
    UnitOfWork unit,
    IRelationalConnection connection,
    DbTransaction transaction,
    Guid transactionId,
    IDiagnosticsLogger<DbLoggerCategory.Database.Transaction> logger,
    bool transactionOwned,
    ISqlGenerationHelper sql)
    : RelationalTransaction(connection, transaction, transactionId, logger, transactionOwned, sql)
{
    private readonly bool _owned = transactionOwned;
    private bool _ended;

    public override void Commit()
    {
        unit.Flush();
        try
        {
            base.Commit();
        }
        catch
        {
            unit.CommitFailed();
            throw;
        }

        _ended = true;
        unit.Committed();
        if (!unit.Saving) unit.RunCallbacks();
    }

    public override async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        await unit.FlushAsync(cancellationToken);
        try
        {
            await base.CommitAsync(cancellationToken);
        }
        catch
        {
            unit.CommitFailed();
            throw;
        }

        _ended = true;
        unit.Committed();
        if (!unit.Saving) await unit.RunCallbacksAsync(cancellationToken);
    }

    public override void Rollback()
    {
        base.Rollback();
        End();
    }

    public override async Task RollbackAsync(CancellationToken cancellationToken = default)
    {
        await base.RollbackAsync(cancellationToken);
        End();
    }

    public override void CreateSavepoint(string name)
    {
        base.CreateSavepoint(name);
        unit.SavepointCreated(name);
    }

    public override async Task CreateSavepointAsync(string name, CancellationToken cancellationToken = default)
    {
        await base.CreateSavepointAsync(name, cancellationToken);
        unit.SavepointCreated(name);
    }

    public override void RollbackToSavepoint(string name)
    {
        base.RollbackToSavepoint(name);
        unit.RolledBackTo(name);
    }

    public override async Task RollbackToSavepointAsync(string name, CancellationToken cancellationToken = default)
    {
        await base.RollbackToSavepointAsync(name, cancellationToken);
        unit.RolledBackTo(name);
    }

    public override void ReleaseSavepoint(string name)
    {
        base.ReleaseSavepoint(name);
        unit.SavepointReleased(name);
    }

    public override async Task ReleaseSavepointAsync(string name, CancellationToken cancellationToken = default)
    {
        await base.ReleaseSavepointAsync(name, cancellationToken);
        unit.SavepointReleased(name);
    }

    public override void Dispose()
    {
        base.Dispose();
        if (_owned) End();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_owned) End();
    }

    /// <summary>Not committed is rolled back; once.</summary>
    private void End()
    {
        if (_ended) return;

        _ended = true;
        unit.RolledBack();
    }
}

internal sealed class TrackedTransactionFactory(RelationalTransactionFactoryDependencies dependencies)
    : IRelationalTransactionFactory
{
    public RelationalTransaction Create(
        IRelationalConnection connection,
        DbTransaction transaction,
        Guid transactionId,
        IDiagnosticsLogger<DbLoggerCategory.Database.Transaction> logger,
        bool transactionOwned)
    {
        var unit = UnitOfWork.Of(connection.Context);
        unit.Began();
        return new TrackedTransaction(
            unit, connection, transaction, transactionId, logger, transactionOwned, dependencies.SqlGenerationHelper);
    }
}
