namespace Keelback.Jobs.Tests;

/// <summary>What ran when, as the jobs wrote it down themselves by the database's clock; several workers write into one.</summary>
internal sealed class Ledger
{
    private const string Table = "create table if not exists ledger (key text, begun timestamptz not null default clock_timestamp(), ended timestamptz, id bigint generated always as identity)";

    private readonly Npgsql.NpgsqlDataSource _db;

    private Ledger(Npgsql.NpgsqlDataSource db) => _db = db;

    public static async Task<Ledger> CreateAsync(Npgsql.NpgsqlDataSource db)
    {
        await using var command = db.CreateCommand(Table);
        await command.ExecuteNonQueryAsync();
        return new(db);
    }

    /// <summary>A job's body: writes its start, works for a moment, writes its end.</summary>
    public async Task RunAsync(string key, TimeSpan work, CancellationToken ct = default)
    {
        await using var begin = _db.CreateCommand("insert into ledger (key) values ($1) returning id");
        begin.Parameters.AddWithValue(key);
        var id = (long)(await begin.ExecuteScalarAsync(ct))!;

        await using var end = _db.CreateCommand("update ledger set ended = clock_timestamp() where id = $1 and pg_sleep($2) is not null");
        end.Parameters.AddWithValue(id);
        end.Parameters.AddWithValue(work.TotalSeconds);
        await end.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The most that ran at once under a key.</summary>
    public async Task<int> MostAtOnceAsync(string key)
    {
        await using var command = _db.CreateCommand(
            "select coalesce(max((select count(*)::int from ledger o where o.key = l.key and o.begun <= l.begun and coalesce(o.ended, 'infinity') > l.begun)), 0) from ledger l where l.key = $1");
        command.Parameters.AddWithValue(key);
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public async Task<int> CountAsync(string key)
    {
        await using var command = _db.CreateCommand("select count(*)::int from ledger where key = $1 and ended is not null");
        command.Parameters.AddWithValue(key);
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
