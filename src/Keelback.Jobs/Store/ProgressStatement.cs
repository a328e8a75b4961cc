using Npgsql;

namespace Keelback.Jobs;

/// <summary>Writes how far an attempt is, if it still holds its run.</summary>
internal static class ProgressStatement
{
    private const string Sql =
        """
        insert into keelback.progress as p (run_id, token, at, data)
        select c.run_id, c.token, keelback.clock(), $3 from keelback.claim c
        where c.run_id = $1 and c.token = $2
        on conflict (run_id) do update set token = excluded.token, at = excluded.at, data = excluded.data where p.token <= excluded.token
        """;

    public static async Task<bool> RunAsync(NpgsqlConnection connection, Claim claim, byte[] data, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.AddWithValue(claim.RunId);
        command.Parameters.AddWithValue(claim.Token);
        command.Parameters.AddWithValue(NpgsqlTypes.NpgsqlDbType.Jsonb, data);
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }
}
