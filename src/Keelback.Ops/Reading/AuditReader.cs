using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>One thing that somebody did.</summary>
internal sealed record AuditLine(long Id, DateTimeOffset At, string Who, string Via, string Action, string Target, string? Before, string? After, string Outcome);

/// <summary>Reads the audit, newest first.</summary>
internal sealed class AuditReader(NpgsqlDataSource db, QueueCatalog catalog)
{
    public async Task<(IReadOnlyList<AuditLine> Lines, DateTimeOffset Now)> ReadAsync(IReadOnlyCollection<string>? targets, long? before, int limit, CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            select id, at, who, via, action, target, before, after, outcome, keelback.clock()
            from keelback.audit
            where app = $1 and case when $2::text[] is null then via <> 'bulk' else target = any($2) end and ($3::bigint is null or id < $3)
            order by id desc limit $4
            """);
        command.Parameters.AddWithValue(catalog.App);
        command.Parameters.Add(new() { Value = targets is null ? DBNull.Value : targets.ToArray(), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        command.Parameters.AddWithValue(limit);

        var lines = new List<AuditLine>();
        var now = default(DateTimeOffset);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            now = row.GetFieldValue<DateTimeOffset>(9);
            lines.Add(new(row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5),
                row.IsDBNull(6) ? null : row.GetString(6), row.IsDBNull(7) ? null : row.GetString(7), row.GetString(8)));
        }

        return (lines, now);
    }
}
