using Npgsql;

namespace Keelback.Jobs;

/// <summary>Reads and changes limits while the app runs, from any process. A singleton service.</summary>
/// <remarks>What is set here wins over the code's and the settings' numbers until it is reset, and holds for the next claim of any worker.</remarks>
public sealed class JobLimits
{
    private readonly NpgsqlDataSource _db;
    private readonly QueueCatalog _queues;
    private readonly LimitCatalog _catalog;
    private readonly LimitLoop _loop;
    private readonly JobWakes _wakes;

    internal JobLimits(NpgsqlDataSource db, QueueCatalog queues, LimitCatalog catalog, LimitLoop loop, JobWakes wakes) =>
        (_db, _queues, _catalog, _loop, _wakes) = (db, queues, catalog, loop, wakes);

    /// <summary>Gives a limit other numbers, or makes it. They replace those that it has as a whole: to change one, give <c>rule.Numbers with { Slots = 2 }</c>. More room is used at once; with less, what runs goes on. What runs when the limit is given slots counts.</summary>
    /// <exception cref="KeelbackException">KB1227: no such name, or numbers that cannot be.</exception>
    public async Task SetAsync(string name, JobLimit numbers, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(numbers);
        if ((NameMistake(name) ?? numbers.Mistake()) is { } mistake) throw JobErrors.BadLimit(name, mistake);

        await using var command = _db.CreateCommand(
            """
            insert into keelback.limit_rule (app, name, slots, starts, windows, set_at) values ($1, $2, $3, $4, $5, keelback.clock())
            on conflict (app, name) do update set slots = $3, starts = $4, windows = $5, set_at = keelback.clock()
            """);
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(name);
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = numbers.Slots });
        command.Parameters.AddWithValue(numbers.Starts);
        command.Parameters.AddWithValue(numbers.Windows);
        await command.ExecuteNonQueryAsync(ct);
        Tell();
    }

    /// <summary>
    /// Gives a limit the code's and the settings' numbers again; where they have none, it limits nothing any more. Of one that was not set at run time,
    /// and that this process's code and settings do not know, those of an earlier version are taken off.
    /// </summary>
    /// <returns>False: it has the code's numbers, or there is no such limit.</returns>
    /// <exception cref="KeelbackException">KB1289: a name that nothing can have.</exception>
    public async Task<bool> ResetAsync(string name, CancellationToken ct = default)
    {
        StorableText.Check(nameof(name), name);
        await using var command = _db.CreateCommand(
            """
            with back as (
                update keelback.limit_rule set slots = code_slots, starts = code_starts, windows = code_windows, set_at = null
                where app = $1 and name = $2 and set_at is not null and (code_slots is not null or code_starts <> '{}')
                returning 1
            ), gone as (
                delete from keelback.limit_rule
                where app = $1 and name = $2 and case when set_at is null then $3 else code_slots is null and code_starts = '{}' end
                returning 1
            )
            select exists (select from back union all select from gone)
            """);
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(name);
        command.Parameters.AddWithValue(_catalog.InCode(name) is null);
        var was = (bool)(await command.ExecuteScalarAsync(ct))!;
        Tell();
        return was;
    }

    /// <summary>Every limit that has numbers, by name.</summary>
    public async Task<IReadOnlyList<JobLimitRule>> ListAsync(CancellationToken ct = default)
    {
        await using var command = _db.CreateCommand(
            "select name, slots, starts, windows, set_at, code_slots, code_starts, code_windows from keelback.limit_rule where app = $1 order by name");
        command.Parameters.AddWithValue(_queues.App);

        var rules = new List<JobLimitRule>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var code = Numbers(row, 5);
            rules.Add(new(row.GetString(0), Numbers(row, 1), row.IsDBNull(4) ? null : row.GetFieldValue<DateTimeOffset>(4),
                code.Slots is null && code.Starts.Length == 0 ? null : code));
        }

        return rules;
    }

    /// <summary>A limit by its name; null: nobody gives it numbers.</summary>
    public async Task<JobLimitRule?> GetAsync(string name, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        return (await ListAsync(ct)).FirstOrDefault(rule => rule.Name == name);
    }

    /// <summary>How the keys of a limit are used now: those first under which work waits, 100 at most.</summary>
    /// <exception cref="KeelbackException">KB1289: a name that nothing can have.</exception>
    public async Task<IReadOnlyList<JobLimitUsage>> UsageAsync(string name, CancellationToken ct = default)
    {
        StorableText.Check(nameof(name), name);
        await using var command = _db.CreateCommand(
            """
            select b.key,
                   (select count(*)::int from keelback.slot s join keelback.claim c on c.run_id = s.run_id and c.token = s.token where s.bucket = b.id),
                   w.waiting, r.opens_at
            from keelback.bucket b
            cross join lateral (select count(*)::int as waiting from (select from keelback.parked p where p.bucket = b.id limit 10000) p) w
            cross join lateral keelback.room_of(b.id, keelback.clock()) r
            where b.app = $1 and split_part(b.key, ':', 1) = $2
            order by w.waiting desc, b.key
            limit 100
            """);
        command.Parameters.AddWithValue(_queues.App);
        command.Parameters.AddWithValue(name);

        var usages = new List<JobLimitUsage>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            usages.Add(new(row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3)));

        return usages;
    }

    internal static string? NameMistake(string name) =>
        string.IsNullOrWhiteSpace(name) || name.Length > KeyTemplate.MaxLength || name[0] == '#' || name.Contains(':', StringComparison.Ordinal)
            ? "a limit's name is what stands before the ':' of its keys, has 1 to 200 characters, and does not begin with '#'."
            : StorableText.NameMistake(name);

    // Both: what waits under the keys, and what is ready.
    private void Tell()
    {
        _loop.LookNow();
        _wakes.LookAgain();
    }

    private static JobLimit Numbers(NpgsqlDataReader row, int at) =>
        JobLimit.From(row.IsDBNull(at) ? null : row.GetInt32(at), row.GetFieldValue<int[]>(at + 1), row.GetFieldValue<long[]>(at + 2));
}

/// <summary>A limit and where its numbers come from.</summary>
/// <param name="Name">What its keys begin with.</param>
/// <param name="Numbers">Those in force.</param>
/// <param name="SetAt">When they were set at run time, by the database's clock; null: they are the code's.</param>
/// <param name="InCode">What code and settings say; null: nothing.</param>
public sealed record JobLimitRule(string Name, JobLimit Numbers, DateTimeOffset? SetAt, JobLimit? InCode);

/// <summary>How one key of a limit is used now.</summary>
/// <param name="Key">The key, its parameters filled in.</param>
/// <param name="InUse">Slots that running attempts hold; 0 for a limit without slots.</param>
/// <param name="Waiting">Runs that wait for this key, counted up to 10,000.</param>
/// <param name="OpensAt">When the next may start by the passing of time; null: now, or when a slot is freed.</param>
public sealed record JobLimitUsage(string Key, int InUse, int Waiting, DateTimeOffset? OpensAt);
