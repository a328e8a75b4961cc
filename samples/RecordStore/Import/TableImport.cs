using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace RecordStore.Import;

/// <summary>Brings one CSV file into one table, inside the transaction that the context is in.</summary>
internal sealed class TableImport(StoreDb db, ImportTable table)
{
    private readonly ImportSql _sql = new(table);
    private readonly NpgsqlConnection _connection = (NpgsqlConnection)db.Database.GetDbConnection();

    /// <summary>Reads, checks and writes the file; what was not taken goes into the import's rejects.</summary>
    public async Task<FileResult> RunAsync(long importRun, string folder, CancellationToken ct)
    {
        using var file = CsvFile.Open(Path.Combine(folder, table.File), table.Headers);

        await ExecuteAsync(_sql.Begin, ct);
        var read = await CopyAsync(file, ct);
        await ExecuteAsync(_sql.Convert, ct);
        await ExecuteAsync(string.Join(";\n", _sql.Checks), ct);
        var (inserted, updated) = await UpsertAsync(ct);
        if (_sql.MoveSequence is { } move) await ExecuteAsync(move, ct);
        var rejected = await CountRejectedAsync(ct);

        var result = new FileResult(table.File, inserted, updated, Unchanged: read - inserted - updated - rejected, rejected);
        await KeepAsync(importRun, result, ct);
        return result;
    }

    private async Task<long> CopyAsync(CsvFile file, CancellationToken ct)
    {
        var rows = 0L;
        await using var staging = await _connection.BeginBinaryImportAsync(ImportSql.Copy(file.Header), ct);
        foreach (var row in file.Rows())
        {
            await staging.StartRowAsync(ct);
            await staging.WriteAsync(row.Line, NpgsqlDbType.Bigint, ct);
            await staging.WriteAsync(row.Problem, NpgsqlDbType.Text, ct);
            for (var i = 0; i < file.Header.Length; i++)
                await staging.WriteAsync(row.Problem is null ? row.Values[i] : null, NpgsqlDbType.Text, ct);
            rows++;
        }

        await staging.CompleteAsync(ct);
        return rows;
    }

    private async Task<(long Inserted, long Updated)> UpsertAsync(CancellationToken ct)
    {
        await using var command = Command(_sql.Upsert);
        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    private async Task<long> CountRejectedAsync(CancellationToken ct)
    {
        await using var command = Command(ImportSql.CountRejected);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private async Task KeepAsync(long importRun, FileResult result, CancellationToken ct)
    {
        var kept = new ImportFile
        {
            ImportRunId = importRun,
            File = result.File,
            Inserted = result.Inserted,
            Updated = result.Updated,
            Unchanged = result.Unchanged,
            Rejected = result.Rejected,
        };
        db.Add(kept);
        await db.SaveChangesAsync(ct);

        if (result.Rejected == 0) return;

        await using var command = Command(ImportSql.KeepRejected);
        command.Parameters.AddWithValue(kept.Id);
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = Command(sql);
        await command.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlCommand Command(string sql) =>
        new(sql, _connection, (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
}
