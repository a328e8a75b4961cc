using Npgsql;

namespace Keelback.Jobs;

/// <summary>Moves runs that wait for a limit back into ready, as many as their keys have room for. A guess: the claim decides.</summary>
internal static class PromoteStatement
{
    private const int KeysAtOnce = 1000;

    /// <summary>The keys of which these runs held slots.</summary>
    public static NpgsqlBatchCommand After(long[] ended) =>
        Statement.Of("select promoted from keelback.promote(keelback.slots_of($1))", Statement.P(ended));

    public static async Task<int> CountAsync(NpgsqlDataReader row, CancellationToken ct) => await row.ReadAsync(ct) ? row.GetInt32(0) : 0;

    /// <summary>Makes the keys under which runs of queues wait that are paused or that nobody reads, so that they are in nobody's way.</summary>
    public static async Task MakeShutAsync(NpgsqlConnection connection, string app, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select keelback.make_shut($1)", connection);
        command.Parameters.AddWithValue(app);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>A page of the keys under which something waits, above <paramref name="after"/>.</summary>
    public static async Task<Promotion> PageAsync(NpgsqlConnection connection, string app, long after, CancellationToken ct)
    {
        // One index probe a key, however much waits under it. Of a key that was forgotten while something came to wait under it, nobody knows the app.
        await using var command = new NpgsqlCommand(
            """
            with recursive k (bucket, n) as (
                (select bucket, 1 from keelback.parked where bucket > $2 order by bucket limit 1)
                union all
                select (select p.bucket from keelback.parked p where p.bucket > k.bucket order by p.bucket limit 1), n + 1
                from k where k.bucket is not null and n < $3
            ), page as materialized (
                select bucket from k where bucket is not null
            )
            select p.promoted, p.opens_at - keelback.clock(), (select max(bucket) from page), (select count(*)::int from page)
            from keelback.promote(array(
                select page.bucket from page left join keelback.bucket b on b.id = page.bucket where b.app = $1 or b.id is null order by 1)) p
            """, connection);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(after);
        command.Parameters.AddWithValue(KeysAtOnce);

        await using var row = await command.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new(row.GetInt32(0), row.IsDBNull(1) ? null : row.GetTimeSpan(1), row.GetInt32(3) == KeysAtOnce ? row.GetInt64(2) : null);
    }
}

/// <summary>What a page of keys came to.</summary>
/// <param name="Count">Runs that may be claimed now.</param>
/// <param name="Opens">When time alone will open one of the keys.</param>
/// <param name="Next">Where the next page begins; null: there is none.</param>
internal sealed record Promotion(int Count, TimeSpan? Opens, long? Next);
