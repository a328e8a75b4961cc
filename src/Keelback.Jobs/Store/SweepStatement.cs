using Npgsql;

namespace Keelback.Jobs;

/// <summary>Takes claims back whose worker has no row any more, under that epoch or at all. The attempt stays spent, and is counted as a crash.</summary>
/// <remarks>
/// Only the app's own, since the crash limit is the app's; those of a run that is gone are nobody's, and any app's sweep takes them.
/// Claims that are locked are skipped: a completion is just being committed. What comes back goes before all that waits, the oldest
/// run first (its number is below every other's): it had its turn already. The first crash comes back at once, later ones after a
/// random moment within 1, 2, 4, at most 8 s, so that a run which kills its worker does not take the same neighbours with it each time.
/// </remarks>
internal static class SweepStatement
{
    private const string Dead =
        """
        from keelback.claim c
            left join lateral (
                select q.app from keelback.run b join keelback.queue q on q.id = b.queue where b.id = c.run_id limit 1) o on true
            where not exists (select from keelback.worker w where w.id = c.worker_id and w.epoch = c.epoch)
              and coalesce(o.app = $1, true)
        """;

    public const string Sql =
        $"""
        with dead as (
            select c.run_id, c.worker_id, c.attempt, c.crashes + 1 as crashes, c.at {Dead}
              and (c.crashes + 1 >= $2) = $4 and c.run_id <> all($5) and ($6::bigint is null or c.run_id = $6)
            limit $3
            for update of c skip locked
        ), gone as (
            delete from keelback.claim c using dead where c.run_id = dead.run_id returning dead.*
        ), body as (
            select gone.*, case when r.tenant is null then r.queue else -r.queue end as queue, r.priority, r.tenant, r.followed, gone.crashes >= $2 as quarantined,
                   case when gone.crashes > 1 then random() * least(power(2, gone.crashes - 2), 8) * interval '1 s' end as delay
            from gone cross join lateral (select queue, priority, tenant, followed from keelback.run where id = gone.run_id and state = 0 limit 1) r
        ), h as (
            insert into keelback.attempt (run_id, n, worker_id, started_at, ended_at, outcome, retry_at)
            select run_id, attempt, worker_id, at, (select keelback.clock()), 1, case when not quarantined then (select keelback.clock()) + coalesce(delay, '0') end from body
            on conflict do nothing
        ), soon as (
            insert into keelback.ready (queue, priority, seq, run_id, attempt, crashes, tenant) overriding system value
            select queue, priority, run_id + (-9223372036854775808), run_id, attempt, crashes, tenant from body where not quarantined and delay is null
        ), later as (
            insert into keelback.timer (at, run_id, what, attempt, crashes)
            select (select keelback.clock()) + delay, run_id, 0, attempt, crashes from body where not quarantined and delay is not null
        ), ended as (
            update keelback.run r
            set state = 5, attempt = body.attempt, started_at = body.at, finished_at = (select keelback.clock()),
                error = jsonb_build_object('type', 'Quarantined', 'message', 'Its worker died in ' || body.crashes || ' attempts.')
            from body where body.quarantined and r.id = body.run_id and r.state = 0
            returning r.id, r.followed
        ), below as (
            select keelback.settle(array(select id from ended where followed)) as ids where exists (select from ended where followed)
        )
        select (select count(*)::int from gone), (select count(*)::int from ended), array(select id from ended) || (select ids from below)
        """;

    /// <param name="db">Where.</param>
    /// <param name="app">Whose runs.</param>
    /// <param name="crashLimit">With so many crashes a run is quarantined.</param>
    /// <param name="quarantines">Whether it is for those runs, which it ends, or for all others, which wait for nobody's lock.</param>
    /// <param name="choice">Which of them.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<Swept> RunAsync(NpgsqlDataSource db, string app, int crashLimit, bool quarantines, RunChoice choice, int limit, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.Waiting(choice.Patience));
        batch.BatchCommands.Add(Statement.Of(Sql, Statement.P(app), Statement.P(crashLimit), Statement.P(limit),
            Statement.P(quarantines), Statement.P(choice.Except), Statement.P(choice.Only)));

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        await row.ReadAsync(ct);
        return new(row.GetInt32(0), row.GetInt32(1), row.GetFieldValue<long[]>(2));
    }

    /// <summary>A run that is to be quarantined, but for those given and those that another node is at; null when there is none.</summary>
    public static async Task<long?> NextQuarantineAsync(NpgsqlDataSource db, string app, int crashLimit, long[] except, CancellationToken ct)
    {
        await using var command = db.CreateCommand($"select c.run_id {Dead} and c.crashes + 1 >= $2 and c.run_id <> all($3) limit 1 for update of c skip locked");
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(crashLimit);
        command.Parameters.AddWithValue(except);
        return (long?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>Whether there are claims to take back at all.</summary>
    public static async Task<bool> HasOrphansAsync(NpgsqlDataSource db, string app, CancellationToken ct)
    {
        await using var command = db.CreateCommand($"select exists (select {Dead})");
        command.Parameters.AddWithValue(app);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }
}

/// <summary>What a sweep took back.</summary>
/// <param name="Runs">How many claims.</param>
/// <param name="Quarantined">Of how many the runs were quarantined.</param>
/// <param name="Ended">The runs that ended: those, and what waited for them.</param>
internal sealed record Swept(int Runs, int Quarantined, long[] Ended)
{
    public static Swept Nothing { get; } = new(0, 0, []);
}
