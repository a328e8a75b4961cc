using Npgsql;

namespace Keelback.Jobs;

/// <summary>Takes timers that are due: runs become ready, attempts whose time is up are told to the caller.</summary>
/// <remarks>
/// A run becomes ready, or expires, on any app's node; an attempt's time is called by its own app's, which knows how long to wait for the next.
/// A run that a dead worker held goes before what waits, as the sweep has it. A timer carries its attempt: one that speaks of an earlier attempt, or of a run that ended, falls away here. So does the deadline of
/// an attempt that was handed back and claimed again under the same number: it is earlier than the new claim's, which is 5 s after its timeout.
/// An attempt whose worker has not renewed its lease since it should have given it up is the sweep's: a death is no timeout, however short that is.
/// </remarks>
internal static class TimerStatement
{
    // A look at the run for deadlines only; one of a run that has ended is anybody's.
    private const string Mine =
        """
        (what <> 1 or coalesce((
            select q.app = $1 from keelback.run r join keelback.queue q on q.id = r.queue
            where r.id = timer.run_id and r.state = 0 limit 1), true) and not exists (
            select from keelback.claim c left join keelback.worker w on w.id = c.worker_id and w.epoch = c.epoch
            where c.run_id = timer.run_id and c.attempt = timer.attempt and (w.id is null or w.lease_until - w.lease < timer.at - interval '1 s')))
        """;

    public const string Sql =
        $"""
        with due as (
            delete from keelback.timer
            where ctid = any(array(
                select ctid from keelback.timer
                where at <= keelback.clock() and at > $2 and {Mine} and what = any($4) and run_id <> all($5) and ($6::bigint is null or run_id = $6)
                order by at
                limit $3
                for update skip locked))
            returning at, run_id, what, attempt, crashes
        ), soon as (
            insert into keelback.ready (queue, priority, seq, run_id, attempt, crashes, tenant) overriding system value
            select case when r.tenant is null then r.queue else -r.queue end, r.priority,
                   case when due.crashes = 0 then nextval('keelback.ready_seq_seq') else due.run_id + (-9223372036854775808) end,
                   due.run_id, due.attempt, due.crashes, r.tenant
            from due cross join lateral (select queue, priority, tenant from keelback.run where id = due.run_id and state = 0 limit 1) r
            where due.what = 0
            order by due.at
        ), forgotten as (
            update keelback.run r set output = null from due
            where due.what = 3 and r.id = due.run_id and r.state = 1 and not r.followed -- what others take stays
        ), late as (
            select keelback.expire(ids) as ended
            from (select array_agg(run_id) as ids from due where what = 2 having count(*) > 0) d
        )
        select due.at, c.run_id, c.token, c.attempt, c.crashes, c.kind, c.max_attempts, c.timeout_ms, null::bigint, c.base_attempt
        from due
        left join lateral (
            select c.*, r.kind, r.max_attempts, r.base_attempt, r.timeout_ms
            from keelback.claim c
            cross join lateral (select kind, max_attempts, base_attempt, timeout_ms from keelback.run where id = c.run_id limit 1) r
            where due.what = 1 and c.run_id = due.run_id and c.attempt = due.attempt
              and due.at >= c.at + (r.timeout_ms::bigint + 4000) * interval '1 ms') c on true
        union all
        select null, null, null, null, null, null, null, null, unnest(ended), null from late
        """;

    public static async Task<FiredTimers> RunAsync(NpgsqlConnection connection, string app, TimerChoice choice, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey(choice.Runs.Patience));
        batch.BatchCommands.Add(Statement.Of(Sql, Statement.P(app), Statement.P(choice.After), Statement.P(choice.Limit),
            Statement.P(choice.What), Statement.P(choice.Runs.Except), Statement.P(choice.Runs.Only)));

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);

        var fired = new FiredTimers { Last = choice.After };
        while (await row.ReadAsync(ct))
        {
            if (!row.IsDBNull(8))
            {
                fired.Expired.Add(row.GetInt64(8));
                continue;
            }

            fired.Count++;
            var at = row.GetDateTime(0);
            if (at > fired.Last) fired.Last = at;
            if (row.IsDBNull(1)) continue;

            fired.TimedOut.Add(new(row.GetInt64(1), row.GetInt64(2), row.GetInt16(3), row.GetInt16(4), row.GetString(5), [])
            {
                MaxAttempts = row.GetInt16(6),
                BaseAttempt = row.GetInt16(9),
                Timeout = row.IsDBNull(7) ? null : TimeSpan.FromMilliseconds(row.GetInt32(7)),
            });
        }

        return fired;
    }

    /// <summary>A run that a timer may end now, but for those given and those that another node is at; null when there is none.</summary>
    public static async Task<long?> NextEndAsync(NpgsqlConnection connection, string app, long[] except, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select run_id from keelback.timer where at <= keelback.clock() and {Mine} and what = any($2) and run_id <> all($3) order by at limit 1 for update skip locked", connection);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(TimerChoice.Ends);
        command.Parameters.AddWithValue(except);
        return (long?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>Until the next timer that this app may take, by the database's clock, but for those of some runs; null when there is none.</summary>
    public static async Task<TimeSpan?> UntilNextAsync(NpgsqlConnection connection, string app, long[] except, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select at - keelback.clock() from keelback.timer where {Mine} and run_id <> all($2) order by at limit 1", connection);
        command.Parameters.AddWithValue(app);
        command.Parameters.AddWithValue(except);
        return await command.ExecuteScalarAsync(ct) is TimeSpan wait ? wait : null;
    }
}

/// <summary>Which of the timers that are due.</summary>
internal sealed record TimerChoice(short[] What, RunChoice Runs)
{
    /// <summary>Those that make a run ready, and wait for nobody's lock.</summary>
    public static readonly short[] Starts = [0];

    /// <summary>Those that write to the run: an attempt's time is up, it was not started in time, its result is to go.</summary>
    public static readonly short[] Ends = [1, 2, 3];

    public static readonly short[] Both = [.. Starts, .. Ends];

    /// <summary>Before every timer.</summary>
    public static readonly DateTime Ever = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    /// <summary>Due after this.</summary>
    public DateTime After { get; init; } = Ever;

    public int Limit { get; init; } = 1000;
}

/// <summary>What a batch of timers did.</summary>
internal sealed class FiredTimers
{
    public int Count { get; set; }

    /// <summary>When the latest of them was due.</summary>
    public DateTime Last { get; set; }

    /// <summary>Runs that ended because nobody had started them in time, and those that waited for them.</summary>
    public List<long> Expired { get; } = [];

    /// <summary>Attempts that are over their time and still hold their run: their worker did not stop them.</summary>
    public List<Claim> TimedOut { get; } = [];

    /// <summary>How those were told, and what became of that; null: there were none.</summary>
    public (IReadOnlyList<Outcome> Outcomes, ExchangeResult Result)? Failed { get; set; }
}
