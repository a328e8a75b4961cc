using Microsoft.EntityFrameworkCore.Storage;

namespace Keelback.Data;

/// <summary>A part of a transaction that fails by itself.</summary>
internal static class Savepoint
{
    // Savepoints of one name shadow each other, and nest all the same.
    private const string Name = "keelback_part";

    public static T Run<T>(IDbContextTransaction transaction, Func<T> work, UnitOfWork unit)
    {
        transaction.CreateSavepoint(Name);
        try
        {
            var result = work();
            transaction.ReleaseSavepoint(Name);
            return result;
        }
        catch
        {
            try
            {
                transaction.RollbackToSavepoint(Name);
                transaction.ReleaseSavepoint(Name);
            }
            catch (Exception e)
            {
                unit.SavepointLost(e); // the connection is gone, and what broke it says more
            }

            throw;
        }
    }

    public static async Task<T> RunAsync<T>(
        IDbContextTransaction transaction, Func<CancellationToken, Task<T>> work, UnitOfWork unit, CancellationToken ct)
    {
        await transaction.CreateSavepointAsync(Name, ct);
        try
        {
            var result = await work(ct);
            await transaction.ReleaseSavepointAsync(Name, ct);
            return result;
        }
        catch
        {
            try
            {
                // Not with the caller's token: a cancelled part must still be undone.
                await transaction.RollbackToSavepointAsync(Name, CancellationToken.None);
                await transaction.ReleaseSavepointAsync(Name, CancellationToken.None);
            }
            catch (Exception e)
            {
                unit.SavepointLost(e);
            }

            throw;
        }
    }
}
