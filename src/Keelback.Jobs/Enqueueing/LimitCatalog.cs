using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>The limits that code and settings give numbers to, written to the database before a run first needs one.</summary>
internal sealed class LimitCatalog(NpgsqlDataSource db, JobKinds kinds, QueueCatalog queues, IOptions<JobsOptions> options)
{
    private readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);
    private readonly Lazy<IReadOnlyDictionary<string, JobLimit>> _code = new(() => Of(kinds.All, options.Value));

    /// <summary>The limit that a key is of.</summary>
    public static string NameOf(string key) => key.IndexOf(':', StringComparison.Ordinal) is >= 0 and var end ? key[..end] : key;

    /// <summary>Numbers by name; settings win over attributes.</summary>
    /// <exception cref="KeelbackException">KB1227: two attributes give one limit different numbers, or numbers that cannot be.</exception>
    public static IReadOnlyDictionary<string, JobLimit> Of(IEnumerable<JobKind> kinds, JobsOptions options)
    {
        var limits = new Dictionary<string, JobLimit>(StringComparer.Ordinal);
        foreach (var (kind, name, numbers) in
            from kind in kinds
            from limit in kind.Limits
            where limit.Numbers is not null
            select (kind, NameOf(limit.Key), limit.Numbers))
        {
            if (numbers.Mistake() is { } mistake) throw JobErrors.BadLimit(name, mistake);
            if (limits.TryGetValue(name, out var other) && other != numbers)
                throw JobErrors.BadLimit(name, $"'{kind.Name}' and another job give it different numbers ({numbers} and {other}). Write them on one, and only the key on the others.");
            limits[name] = numbers;
        }

        foreach (var (name, numbers) in options.Limits) limits[name] = numbers;
        return limits;
    }

    /// <summary>Makes sure that the limits have numbers. On a connection of its own: a caller that rolls back must not take them with it.</summary>
    /// <exception cref="KeelbackException">KB1226: nobody gives one its numbers.</exception>
    public async ValueTask EnsureAsync(IEnumerable<string> names, bool async, CancellationToken ct)
    {
        string[] missing = [.. names.Distinct().Where(name => !_known.ContainsKey(name))];
        if (missing.Length == 0) return;

        var connection = db.CreateConnection();
        await using (connection.ConfigureAwait(false))
        {
            if (async) await connection.OpenAsync(ct).ConfigureAwait(false);
            else connection.Open();

            foreach (var name in missing.Where(_code.Value.ContainsKey)) // each by itself: arrays of arrays cannot be ragged
            {
                using var declare = Declare(connection, name, _code.Value[name]);
                if (async) await declare.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
                else declare.ExecuteNonQuery();
            }

            using var command = new NpgsqlCommand("select name from keelback.limit_rule where app = $1", connection);
            command.Parameters.AddWithValue(queues.App);
            using var row = async ? await command.ExecuteReaderAsync(ct).ConfigureAwait(false) : command.ExecuteReader();
            var all = new List<string>();
            while (async ? await row.ReadAsync(ct).ConfigureAwait(false) : row.Read()) all.Add(row.GetString(0));

            foreach (var name in missing)
                if (!all.Contains(name)) throw JobErrors.NoSuchLimit(name, Keelback.NearestName.Of(name, all));
            foreach (var name in missing) _known[name] = true;
        }
    }

    /// <summary>Everything that code and settings say.</summary>
    public ValueTask EnsureAllAsync(CancellationToken ct) => EnsureAsync(_code.Value.Keys, async: true, ct);

    /// <summary>What code and settings say about a limit; null: nothing.</summary>
    public JobLimit? InCode(string name) => _code.Value.GetValueOrDefault(name);

    // What was set at run time stays in force; the code's numbers are kept beside it, for a reset.
    private NpgsqlCommand Declare(NpgsqlConnection connection, string name, JobLimit numbers)
    {
        var command = new NpgsqlCommand(
            """
            insert into keelback.limit_rule as l (app, name, slots, starts, windows, code_slots, code_starts, code_windows)
            values ($1, $2, $3, $4, $5, $3, $4, $5)
            on conflict (app, name) do update
            set code_slots = $3, code_starts = $4, code_windows = $5,
                slots = case when l.set_at is null then $3 else l.slots end,
                starts = case when l.set_at is null then $4 else l.starts end,
                windows = case when l.set_at is null then $5 else l.windows end
            where (l.code_slots, l.code_starts, l.code_windows) is distinct from ($3, $4, $5)
            """, connection);
        command.Parameters.AddWithValue(queues.App);
        command.Parameters.AddWithValue(name);
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = numbers.Slots });
        command.Parameters.AddWithValue(numbers.Starts);
        command.Parameters.AddWithValue(numbers.Windows);
        return command;
    }
}
