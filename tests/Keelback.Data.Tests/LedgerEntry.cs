using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Keelback.Data.Tests;

/// <summary>The smallest work that joins a commit: a row, whose text is made when it runs.</summary>
internal sealed class LedgerEntry(Func<string> text) : IPendingWork
{
    public int Runs { get; private set; }

    public void Run(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        using var command = Command(connection, transaction);
        command.ExecuteNonQuery();
    }

    public async Task RunAsync(DbContext db, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = Command(connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        Runs++;
        return new("insert into ledger (entry) values ($1)", connection, transaction)
        {
            Parameters = { new() { Value = text() } },
        };
    }
}

internal static class LedgerExtensions
{
    public static LedgerEntry Note(this DbContext db, Func<string> text)
    {
        var entry = new LedgerEntry(text);
        UnitOfWork.Of(db).BeforeCommit(entry);
        return entry;
    }

    /// <summary>SaveChanges in either colour, so that one test can hold for both.</summary>
    public static Task<int> SaveAsync(this DbContext db, bool sync, bool accept = true) =>
        sync ? Task.FromResult(db.SaveChanges(accept)) : db.SaveChangesAsync(accept);
}
