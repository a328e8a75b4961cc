using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Brings the <c>keelback</c> schema to what this code knows, whichever node starts first.</summary>
internal sealed class SystemSchema(NpgsqlDataSource db, IEnumerable<SystemModule> modules, ILogger<SystemSchema> log)
{
    // One key for all modules: two nodes that start at once run one after the other.
    private const long LockKey = 0x6B65656C6261636B; // "keelback"

    /// <summary>Applies what is missing, each script in its own transaction. Safe on several nodes at once.</summary>
    /// <exception cref="KeelbackException">KB1003: the schema is newer than this code.</exception>
    public async Task MigrateAsync(CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        foreach (var module in modules)
        {
            var applied = await AppliedAsync(connection, module.Name, ct);
            if (applied > module.Migrations.Count)
                throw PostgresErrors.SchemaIsNewer(module.Name, applied, module.Migrations.Count);

            foreach (var migration in module.Migrations.Skip(applied))
                if (await ApplyAsync(connection, module.Name, migration, ct))
                    Log.MigrationApplied(log, module.Name, migration.Number, migration.Name);
        }
    }

    private static async Task<int> AppliedAsync(NpgsqlConnection connection, string module, CancellationToken ct)
    {
        await using var exists = new NpgsqlCommand("select to_regclass('keelback.migration') is not null", connection);
        if (!(bool)(await exists.ExecuteScalarAsync(ct))!) return 0;

        await using var last = new NpgsqlCommand(
            "select coalesce(max(number), 0) from keelback.migration where module = $1", connection);
        last.Parameters.AddWithValue(module);
        return (int)(await last.ExecuteScalarAsync(ct))!;
    }

    private static async Task<bool> ApplyAsync(
        NpgsqlConnection connection, string module, SystemMigration migration, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);

        // A lock of the transaction, not of the session: it works behind a pooler.
        await using (var guard = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection, transaction))
        {
            guard.Parameters.AddWithValue(LockKey);
            await guard.ExecuteNonQueryAsync(ct);
        }

        // Another node may have been first while we waited.
        if (await AppliedAsync(connection, module, ct) >= migration.Number) return false;

        await using (var script = new NpgsqlCommand(migration.Sql, connection, transaction))
            await script.ExecuteNonQueryAsync(ct);

        await using (var record = new NpgsqlCommand(
            "insert into keelback.migration (module, number, name) values ($1, $2, $3)", connection, transaction))
        {
            record.Parameters.AddWithValue(module);
            record.Parameters.AddWithValue(migration.Number);
            record.Parameters.AddWithValue(migration.Name);
            await record.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
        return true;
    }
}
