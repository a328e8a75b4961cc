using System.Data;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace Keelback.Data;

#pragma warning disable EF1001 // The provider has no public way to nest a transaction; the versions are pinned together.

/// <summary>The context's connection. Inside a test's transaction it adopts that, and a begin is a savepoint.</summary>
internal sealed class NestingConnection(
    RelationalConnectionDependencies dependencies,
    NpgsqlDataSourceManager dataSources,
    IDbContextOptions options,
    OuterTransactionSource outer)
    : NpgsqlRelationalConnection(dependencies, dataSources, options)
{
    private bool _adopting; // or going away: no time to adopt

    public override IDbContextTransaction? CurrentTransaction
    {
        get
        {
            if (base.CurrentTransaction is null && outer.Current is { } transaction && !_adopting
                && ReferenceEquals(transaction.Connection, DbConnection))
            {
                _adopting = true; // UseTransaction asks for the current one
                UseTransaction(transaction);
                _adopting = false;
            }

            return base.CurrentTransaction;
        }

        protected set => base.CurrentTransaction = value;
    }

    public override IDbContextTransaction BeginTransaction(IsolationLevel isolationLevel)
    {
        if (Nest() is not { } nested) return base.BeginTransaction(isolationLevel);

        nested.Begin();
        return CurrentTransaction = nested;
    }

    public override async Task<IDbContextTransaction> BeginTransactionAsync(
        IsolationLevel isolationLevel, CancellationToken cancellationToken = default)
    {
        if (Nest() is not { } nested) return await base.BeginTransactionAsync(isolationLevel, cancellationToken);

        await nested.BeginAsync(cancellationToken);
        return CurrentTransaction = nested;
    }

    // The context goes, or returns to its pool: it lets go of the test's transaction and must not adopt it again on the way.
    protected override void ResetState(bool disposeDbConnection)
    {
        _adopting = true;
        base.ResetState(disposeDbConnection);
        _adopting = false;
    }

    protected override async ValueTask ResetStateAsync(bool disposeDbConnection)
    {
        _adopting = true;
        await base.ResetStateAsync(disposeDbConnection);
        _adopting = false;
    }

    private NestedTransaction? Nest() =>
        CurrentTransaction is { } current && outer.IsOuter(current)
            ? new(UnitOfWork.Of(Context), current, outer.Current!, () => CurrentTransaction = current)
            : null;
}
