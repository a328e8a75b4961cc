using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Ops;

/// <summary>What keeps dead rows from being cleaned up for longer than <see cref="OpsOptions.WarnTransaction"/>: transactions, prepared ones too, slots and standbys.</summary>
/// <remarks>Views are named without their schema, so that a test can put its own before them: a standby or a slow autovacuum cannot be had at will.</remarks>
internal sealed class CleaningLook(IOptions<OpsOptions> configured)
{
    // A slot and a standby have no time, only the oldest transaction that they need: since when each has needed the same one.
    private readonly Dictionary<string, (long Xmin, DateTimeOffset Since)> _held = new(StringComparer.Ordinal);

    private TimeSpan Patience => configured.Value.WarnTransaction;

    public async Task<List<(string Key, string Text)>> FindAsync(NpgsqlConnection connection, CancellationToken ct) =>
        [.. await TransactionsAsync(connection, ct), .. await PreparedAsync(connection, ct), .. await StandbysAsync(connection, ct)];

    /// <summary>Sessions whose snapshot keeps dead rows alive: the oldest first, since the others matter only once it is gone.</summary>
    /// <remarks>A VACUUM has a snapshot that no other VACUUM heeds, and ending it is the opposite of a mend; autovacuum gives way by itself.</remarks>
    private async Task<List<(string, string)>> TransactionsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select pid, coalesce(nullif(application_name, ''), 'no name'), coalesce(usename, '?'), state, clock_timestamp() - xact_start
            from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and xact_start < clock_timestamp() - $1
              and (backend_xmin is not null or backend_xid is not null)
              and backend_type is distinct from 'autovacuum worker'
              and coalesce(leader_pid, pid) not in (select pid from pg_stat_progress_vacuum)
            order by xact_start limit 3
            """, connection);
        command.Parameters.AddWithValue(Patience);

        var found = new List<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var pid = row.GetInt32(0).ToString(CultureInfo.InvariantCulture);
            found.Add(($"transaction:{pid}",
                $"Session {pid} ({row.GetString(1)}, user {row.GetString(2)}, {(row.IsDBNull(3) ? "?" : row.GetString(3))}) has held a transaction open for " +
                $"{Show.Span(row.GetTimeSpan(4))}: no dead row is cleaned up meanwhile, and claims get slower. " +
                $"Find out what it waits for, or end it: select pg_terminate_backend({pid})."));
        }

        return found;
    }

    /// <summary>They belong to no session, outlive a restart, and hold their locks as well.</summary>
    private async Task<List<(string, string)>> PreparedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select gid, owner, clock_timestamp() - prepared from pg_prepared_xacts
            where database = current_database() and prepared < clock_timestamp() - $1
            order by prepared limit 3
            """, connection);
        command.Parameters.AddWithValue(Patience);

        var found = new List<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var gid = row.GetString(0);
            found.Add(($"prepared:{gid}",
                $"Transaction '{gid}', prepared by {row.GetString(1)}, has waited for its second phase for {Show.Span(row.GetTimeSpan(2))}: " +
                "no dead row is cleaned up meanwhile, and claims get slower. End it by what prepared it, or by hand: " +
                $"rollback prepared '{gid.Replace("'", "''", StringComparison.Ordinal)}', or commit prepared."));
        }

        return found;
    }

    /// <summary>Slots by their own xmin, which is what a standby asks for; without a slot its walsender holds it.</summary>
    /// <remarks>
    /// One that needs what a session of this server needs too is not told: the session is, and a standby cannot be further than it. Nor is
    /// catalog_xmin, the logical slots': it keeps dead rows of PostgreSQL's own catalogs alone. A lost slot holds nothing any more.
    /// </remarks>
    private async Task<List<(string, string)>> StandbysAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            with own as (
                select greatest(
                    (select max(greatest(age(backend_xid), age(backend_xmin))) from pg_stat_activity
                     where backend_type = 'client backend' and pid not in (select pid from pg_stat_progress_vacuum)),
                    (select max(age(transaction)) from pg_prepared_xacts), 0) as age
            ), held as (
                select 'slot' as what, slot_name::text as name, active, xmin from pg_replication_slots
                where xmin is not null and wal_status is distinct from 'lost'
                union all
                select 'standby', coalesce(nullif(application_name, ''), pid::text), true, backend_xmin
                from pg_stat_replication where backend_xmin is not null
            )
            select what, name, active, xmin::text::bigint, keelback.clock() from held, own where age(xmin) > own.age
            """, connection);

        var found = new List<(string, string)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var (what, name, xmin, now) = (row.GetString(0), row.GetString(1), row.GetInt64(3), row.GetFieldValue<DateTimeOffset>(4));
            var key = $"{what}:{name}";
            seen.Add(key);
            if (!_held.TryGetValue(key, out var held) || held.Xmin != xmin) _held[key] = held = (xmin, now);
            if (now - held.Since <= Patience) continue;

            found.Add((key, (what == "slot" ? $"Replication slot '{name}'" : $"Standby '{name}'") +
                $" has kept every row that died in the last {Show.Span(now - held.Since)} from being cleaned up, and claims get slower. " + (
                row.GetBoolean(2) ? "Look for a long query on the standby, or set its hot_standby_feedback to off."
                : $"Nobody reads from it: start its standby, or drop it: select pg_drop_replication_slot('{name}').")));
        }

        foreach (var gone in _held.Keys.Where(key => !seen.Contains(key)).ToList()) _held.Remove(gone);
        return found;
    }
}
