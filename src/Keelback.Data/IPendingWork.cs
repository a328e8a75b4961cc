using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Data;

/// <summary>Work inside someone's transaction, in both colours: a synchronous SaveChanges must not block on a task.</summary>
/// <remarks>Run again when the transaction is tried again.</remarks>
internal interface IPendingWork
{
    void Run(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction);

    Task RunAsync(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct);
}
