using System.Collections.Concurrent;
using Keelback.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>The numbers of this app's queues. A queue exists from its first use on; its number never changes.</summary>
internal sealed class QueueCatalog(NpgsqlDataSource db, IOptions<PostgresOptions> postgres)
{
    private readonly ConcurrentDictionary<string, short> _numbers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<short, string> _names = new();
    private readonly ConcurrentDictionary<string, bool> _fair = new(StringComparer.Ordinal);

    public string App => postgres.Value.App;

    /// <summary>Makes sure that the names have numbers. On a connection of its own: a caller that rolls back must not take the queue with it.</summary>
    public async ValueTask EnsureAsync(IEnumerable<string> names, bool async, CancellationToken ct)
    {
        string[]? missing = null;
        foreach (var name in names)
            if (!_numbers.ContainsKey(name))
                missing = [.. missing ?? [], name];
        if (missing is null) return;

        var connection = db.CreateConnection();
        await using (connection.ConfigureAwait(false))
        {
            if (async) await connection.OpenAsync(ct).ConfigureAwait(false);
            else connection.Open();

            using var command = new NpgsqlCommand(
                """
                with made as (
                    insert into keelback.queue (app, name)
                    select $1, n from unnest($2) n
                    where not exists (select from keelback.queue q where q.app = $1 and q.name = n) -- a conflict would use up a number
                    on conflict do nothing returning name, id)
                select name, id from made
                union all
                select name, id from keelback.queue where app = $1 and name = any($2)
                """, connection);
            command.Parameters.AddWithValue(App);
            command.Parameters.AddWithValue(missing.Distinct().ToArray());

            // Twice: a name that another process is just adding is in neither half of the first answer.
            for (var attempt = 0; attempt < 2 && missing.Any(name => !_numbers.ContainsKey(name)); attempt++)
            {
                using var row = async ? await command.ExecuteReaderAsync(ct).ConfigureAwait(false) : command.ExecuteReader();
                while (async ? await row.ReadAsync(ct).ConfigureAwait(false) : row.Read()) Add(row.GetString(0), row.GetInt16(1));
            }
        }
    }

    /// <summary>How many queues this process knows, counted again where they have tenants; rises when it enqueues into a new one.</summary>
    public int Count => _numbers.Count + _fair.Count;

    public short Number(string name) => _numbers[name];

    /// <summary>Of a queue that something was claimed from.</summary>
    public string Name(int number) => _names.GetValueOrDefault((short)number, "");

    /// <summary>Every queue of the app, those included that other processes made.</summary>
    public async Task<IReadOnlyList<QueueState>> AllAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand("select name, id, paused, slots, fair from keelback.queue where app = $1 order by id");
        command.Parameters.AddWithValue(App);

        var all = new List<QueueState>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            Add(row.GetString(0), row.GetInt16(1));
            if (row.GetBoolean(4)) _fair.TryAdd(row.GetString(0), true);
            all.Add(new(row.GetInt16(1), row.GetString(0), row.GetBoolean(2), row.IsDBNull(3) ? null : row.GetInt32(3), row.GetBoolean(4)));
        }

        return all;
    }

    /// <summary>Has what runs of a queue hold its slots, which it may have been given meanwhile.</summary>
    public async Task HoldAsync(short number, CancellationToken ct)
    {
        await using var command = db.CreateCommand("select keelback.hold_queue($1)");
        command.Parameters.AddWithValue(number);
        await command.ExecuteNonQueryAsync(ct);
    }

    private void Add(string name, short number) => (_numbers[name], _names[number]) = (number, name);

    /// <summary>Makes sure that workers read the lane in which the tenants of these queues take turns. On a connection of its own, as the numbers.</summary>
    public async ValueTask EnsureTenantsAsync(IEnumerable<string> names, bool async, CancellationToken ct)
    {
        string[] missing = [.. names.Distinct().Where(name => !_fair.ContainsKey(name))];
        if (missing.Length == 0) return;

        var connection = db.CreateConnection();
        await using (connection.ConfigureAwait(false))
        {
            if (async) await connection.OpenAsync(ct).ConfigureAwait(false);
            else connection.Open();

            using var command = new NpgsqlCommand("update keelback.queue set fair = true where app = $1 and name = any($2) and not fair", connection);
            command.Parameters.AddWithValue(App);
            command.Parameters.AddWithValue(missing);
            if (async) await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            else command.ExecuteNonQuery();
        }

        foreach (var name in missing) _fair[name] = true;
    }
}

/// <summary>A queue as the database has it now.</summary>
internal sealed record QueueState(short Id, string Name, bool IsPaused, int? Slots, bool HasTenants);
