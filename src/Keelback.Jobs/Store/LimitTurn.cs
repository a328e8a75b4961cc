using Npgsql;

namespace Keelback.Jobs;

/// <summary>Which of an app's nodes looks at its limits next: the first that comes when it is time.</summary>
internal static class LimitTurn
{
    /// <summary>Takes the turn, and leaves the next one to whoever comes <paramref name="interval"/> later. <paramref name="isAsked"/>: out of turn.</summary>
    /// <returns>Null: it is this node's; else the time to the next.</returns>
    public static async Task<TimeSpan?> TakeAsync(NpgsqlConnection connection, string app, TimeSpan interval, bool isAsked, CancellationToken ct)
    {
        // A turn that is further away than one can be was taken before the clock was put back.
        await using var command = new NpgsqlCommand(
            """
            with mine as (
                insert into keelback.limit_look as l (app, next_at) values ($1, keelback.clock() + $2)
                on conflict (app) do update set next_at = excluded.next_at
                where $3 or l.next_at not between keelback.clock() and excluded.next_at
                returning 1
            )
            select l.next_at - keelback.clock()
            from (select exists (select from mine) as yes) m left join keelback.limit_look l on l.app = $1
            where not m.yes
            """, connection);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(interval);
        command.Parameters.AddWithValue(isAsked);

        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct)) return null;

        // No row: the first turn ever was taken in this moment.
        var others = row.IsDBNull(0) ? interval : row.GetTimeSpan(0);
        return others < interval ? others : interval;
    }

    /// <summary>Sets the next turn: a key opens earlier.</summary>
    public static async Task AgainAsync(NpgsqlConnection connection, string app, TimeSpan rest, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("update keelback.limit_look set next_at = keelback.clock() + $2 where app = $1", connection);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(rest);
        await command.ExecuteNonQueryAsync(ct);
    }
}
