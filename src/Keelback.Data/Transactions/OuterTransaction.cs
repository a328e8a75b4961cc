using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Data;

/// <summary>A transaction around everything that an app does, which a test rolls back: begins become savepoints inside it.</summary>
/// <remarks>
/// A singleton in the app's services when a test wants one. While it is set, contexts of <c>AddData</c> work on its connection,
/// one at a time, and what waits for a commit is captured.
/// </remarks>
internal sealed class OuterTransaction
{
    private readonly List<Func<CancellationToken, Task>> _captured = [];

    /// <summary>The transaction; null: the app works as usual.</summary>
    public NpgsqlTransaction? Current { get; set; }

    /// <summary>OnCommit callbacks whose commit has come, in order, waiting to be run on request.</summary>
    public IReadOnlyList<Func<CancellationToken, Task>> Captured => _captured;

    /// <summary>Runs and forgets what was captured.</summary>
    public async Task RunCapturedAsync(CancellationToken ct)
    {
        var captured = _captured.ToArray();
        _captured.Clear();
        foreach (var callback in captured) await callback(ct);
    }

    /// <summary>Forgets what was captured: the transaction is over.</summary>
    public void Forget() => _captured.Clear();

    /// <summary>A context on the transaction's connection; null when there is none.</summary>
    internal static TDb? Pin<TDb>(IServiceProvider scope) where TDb : DbContext
    {
        if (scope.GetService<OuterTransaction>()?.Current is not { Connection: { } pinned }) return null;

        var options = new DbContextOptionsBuilder<TDb>().UseApplicationServiceProvider(scope);
        foreach (var configuration in scope.GetServices<IDbContextOptionsConfiguration<TDb>>()) configuration.Configure(scope, options);
        return ActivatorUtilities.CreateInstance<TDb>(scope, options.UseNpgsql(pinned).Options);
    }

    internal void Capture(Func<CancellationToken, Task> callback) => _captured.Add(callback);
}

/// <summary>One context's view of the test's transaction.</summary>
internal sealed class OuterTransactionSource(IDbContextOptions options)
{
    private readonly OuterTransaction? _outer =
        options.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider?.GetService(typeof(OuterTransaction)) as OuterTransaction;

    public NpgsqlTransaction? Current => _outer?.Current;

    public bool IsOuter(IDbContextTransaction transaction) =>
        Current is { } current && transaction is TrackedTransaction && ReferenceEquals(transaction.GetDbTransaction(), current);

    /// <summary>Keeps a callback for later when there is such a transaction.</summary>
    public bool Capture(Func<CancellationToken, Task> callback)
    {
        if (Current is null) return false;

        _outer!.Capture(callback);
        return true;
    }
}
