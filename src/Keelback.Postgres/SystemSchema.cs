using Microsoft.Extensions.Logging;
using Npgsql;

namespace Keelback.Postgres;

/// <summary>Brings the <c>keelback</c> schema to what this code knows, whichever node starts first.</summary>
internal sealed class SystemSchema(NpgsqlDataSource db, IEnumerable<SystemModule> modules, ILogger<SystemSchema> log)
{
    // One key for all modules: two nodes that start at once run one after the other.
    private const long LockKey = 0x6B65656C6261636B; // "keelback"

    /// <summary>Applies what is missing, each script in its own transaction. Safe on several nodes at once.</summary>
    /// <returns>How many scripts this node applied.</returns>
    /// <exception cref="KeelbackException">KB1003: the schema is newer than this code. KB1005: it was made by other scripts. KB1008: there is no such database.</exception>
    public async Task<int> MigrateAsync(CancellationToken ct)
    {
        var count = 0;
        await using var connection = await OpenAsync(ct);
        foreach (var module in modules)
        {
            foreach (var migration in await PendingAsync(connection, module, ct))
            {
                if (!await ApplyAsync(connection, module, migration, ct)) continue;

                Log.MigrationApplied(log, module.Name, migration.Number, migration.Name);
                count++;
            }
        }

        return count;
    }

    /// <summary>What <see cref="MigrateAsync"/> would apply, as <c>module 0001 name</c>.</summary>
    /// <exception cref="KeelbackException">KB1003, KB1005, KB1008 as for <see cref="MigrateAsync"/>.</exception>
    public async Task<IReadOnlyList<string>> PendingAsync(CancellationToken ct)
    {
        var pending = new List<string>();
        await using var connection = await OpenAsync(ct);
        foreach (var module in modules)
            pending.AddRange((await PendingAsync(connection, module, ct)).Select(m => $"{module.Name} {m.Number:0000} {m.Name}"));

        return pending;
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        try
        {
            return await db.OpenConnectionAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            throw PostgresErrors.NoDatabase(new(db.ConnectionString), e);
        }
    }

    private static async Task<IReadOnlyList<SystemMigration>> PendingAsync(NpgsqlConnection connection, SystemModule module, CancellationToken ct)
    {
        var applied = await AppliedAsync(connection, module.Name, ct);
        if (applied.Count > 0 && applied[^1].Number > module.Migrations.Count)
            throw PostgresErrors.SchemaIsNewer(module.Name, applied[^1].Number, module.Migrations.Count);

        foreach (var (expected, index) in module.Migrations.Take(applied.Count).Select((m, i) => (m, i)))
        {
            var found = applied[index];
            if (found != new Applied(expected.Number, expected.Name, expected.Checksum))
                throw PostgresErrors.SchemaIsForeign(module.Name, expected.Number,
                    found.Number == expected.Number ? $"'{found.Name}' ({found.Checksum})" : "nothing",
                    $"'{expected.Name}' ({expected.Checksum})");
        }

        return [.. module.Migrations.Skip(applied.Count)];
    }

    /// <summary>In order of number; empty on a database that has no keelback schema.</summary>
    private static async Task<List<Applied>> AppliedAsync(NpgsqlConnection connection, string module, CancellationToken ct)
    {
        // Not to_regclass: it answers from a cache that is not refreshed while we wait for the lock.
        await using var exists = new NpgsqlCommand(
            "select exists (select from pg_tables where schemaname = 'keelback' and tablename = 'migration')", connection);
        if (!(bool)(await exists.ExecuteScalarAsync(ct))!) return [];

        await using var command = new NpgsqlCommand(
            "select number, name, checksum from keelback.migration where module = $1 order by number", connection);
        command.Parameters.AddWithValue(module);

        var applied = new List<Applied>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) applied.Add(new(row.GetInt32(0), row.GetString(1), row.GetString(2)));

        return applied;
    }

    private static async Task<bool> ApplyAsync(
        NpgsqlConnection connection, SystemModule module, SystemMigration migration, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);

        // A lock of the transaction, not of the session: it works behind a pooler.
        await using (var guard = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection, transaction))
        {
            guard.Parameters.AddWithValue(LockKey);
            await guard.ExecuteNonQueryAsync(ct);
        }

        // Another node may have been first while we waited.
        var pending = await PendingAsync(connection, module, ct);
        if (pending.Count == 0 || pending[0].Number > migration.Number) return false;

        await using (var script = new NpgsqlCommand(migration.Sql, connection, transaction))
            await script.ExecuteNonQueryAsync(ct);

        await using (var record = new NpgsqlCommand(
            "insert into keelback.migration (module, number, name, checksum) values ($1, $2, $3, $4)", connection, transaction))
        {
            record.Parameters.AddWithValue(module.Name);
            record.Parameters.AddWithValue(migration.Number);
            record.Parameters.AddWithValue(migration.Name);
            record.Parameters.AddWithValue(migration.Checksum);
            await record.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
        return true;
    }

    private sealed record Applied(int Number, string Name, string Checksum);
}
