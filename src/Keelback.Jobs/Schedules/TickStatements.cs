using Npgsql;
using NpgsqlTypes;

namespace Keelback.Jobs;

/// <summary>The statements of a tick's transaction.</summary>
internal static class TickStatements
{
    // Who lacks a job, or the code that makes the call, leaves the schedule to other nodes.
    private const string Mine = "app = $1 and kinds <@ $2 and (not live or name = any($3))";

    /// <summary>How long the transaction's statements from here on wait for a row that somebody else has locked.</summary>
    public static async Task WaitAtMostAsync(NpgsqlConnection connection, TimeSpan patience, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.Waiting(patience));
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Locks schedules that are due, or whose queued tick's turn may have come. What another node is at is skipped.</summary>
    public static async Task<List<ScheduleRow>> LockDueAsync(NpgsqlConnection connection, TickerIdentity me, int limit, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select {ScheduleRow.Columns}
            from keelback.schedule s
            where {Mine}
              and (fire_at <= (select keelback.clock())
                   or queued_at is not null and not exists (select from keelback.run r where r.id = s.last_run and r.state = 0))
            order by fire_at
            limit $4
            for update skip locked
            """, connection);
        me.AddTo(command);
        command.Parameters.AddWithValue(limit);
        return await ScheduleRow.ReadAsync(command, ct);
    }

    /// <summary>Which of these runs are open. After the lock: the statement that locks may not see the run that the last tick enqueued.</summary>
    public static async Task<HashSet<long>> OpenAsync(NpgsqlConnection connection, long[] runs, CancellationToken ct)
    {
        if (runs.Length == 0) return [];
        await using var command = new NpgsqlCommand("select id from keelback.run where id = any($1) and state = 0", connection);
        command.Parameters.AddWithValue(runs);
        await using var row = await command.ExecuteReaderAsync(ct);
        return [.. await Statement.IdsAsync(row, ct)];
    }

    /// <summary>Ticks that exist already are left alone; answers the others.</summary>
    public static async Task<HashSet<(int Schedule, DateTimeOffset At)>> InsertAsync(
        NpgsqlConnection connection, IReadOnlyList<(int Schedule, DecidedTick Tick)> ticks, CancellationToken ct)
    {
        if (ticks.Count == 0) return [];
        await using var command = new NpgsqlCommand(
            """
            insert into keelback.tick (schedule, at, outcome, until, count)
            select * from unnest($1, $2, $3, $4, $5)
            on conflict (schedule, at) do nothing
            returning schedule, at
            """, connection);
        var p = command.Parameters;
        p.Add(Statement.P(ticks.Select(t => t.Schedule).ToArray()));
        p.Add(Instants(ticks.Select(t => (DateTime?)t.Tick.At.UtcDateTime)));
        p.Add(Statement.P(ticks.Select(t => (short)t.Tick.Outcome).ToArray()));
        p.Add(Instants(ticks.Select(t => t.Tick.Until?.UtcDateTime)));
        p.Add(Statement.P(ticks.Select(t => t.Tick.Count).ToArray()));

        var made = new HashSet<(int, DateTimeOffset)>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) made.Add((row.GetInt32(0), row.GetFieldValue<DateTimeOffset>(1)));
        return made;
    }

    /// <summary>What became of the calls.</summary>
    public static async Task SettleAsync(NpgsqlConnection connection, IReadOnlyList<TickCall> calls, CancellationToken ct)
    {
        if (calls.Count == 0) return;
        await using var command = new NpgsqlCommand(
            """
            update keelback.tick t
            set run_id = c.run_id, outcome = c.outcome, error = c.error
            from unnest($1, $2, $3, $4, $5) c (schedule, at, run_id, outcome, error)
            where t.schedule = c.schedule and t.at = c.at
            """, connection);
        var p = command.Parameters;
        p.Add(Statement.P(calls.Select(c => c.Schedule.Id).ToArray()));
        p.Add(Instants(calls.Select(c => (DateTime?)c.At.UtcDateTime)));
        p.Add(Statement.P(calls.Select(c => c.Run).ToArray()));
        p.Add(Statement.P(calls.Select(c => (short)c.Outcome).ToArray()));
        p.Add(Statement.P(calls.Select(c => c.Error is { } e ? JobError.From(e) is var error ? $"{error.Type}: {error.Message}" : null : null).ToArray()));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Moves schedules on, whether their ticks were new or not.</summary>
    public static async Task AdvanceAsync(NpgsqlConnection connection, IReadOnlyList<ScheduleProgress> moved, CancellationToken ct)
    {
        if (moved.Count == 0) return;
        await using var command = new NpgsqlCommand(
            """
            update keelback.schedule s
            set next_at = m.next_at, fire_at = m.fire_at, last_at = greatest(s.last_at, m.last_at), last_run = coalesce(m.last_run, s.last_run),
                queued_at = m.queued_at, runs = s.runs + m.runs, covered_at = greatest(s.covered_at, m.covered_at),
                failed_at = m.failed_at, retry_at = m.retry_at, tries = m.tries
            from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                m (id, next_at, fire_at, last_at, last_run, queued_at, runs, covered_at, failed_at, retry_at, tries)
            where s.id = m.id
            """, connection);
        var p = command.Parameters;
        p.Add(Statement.P(moved.Select(m => m.Schedule.Id).ToArray()));
        p.Add(Instants(moved.Select(m => m.Next?.UtcDateTime)));
        p.Add(Instants(moved.Select(m => (m.Schedule with { RetryAt = m.RetryAt }).Fires(m.Next)?.UtcDateTime)));
        p.Add(Instants(moved.Select(m => m.Last?.UtcDateTime)));
        p.Add(Statement.P(moved.Select(m => m.LastRun).ToArray()));
        p.Add(Instants(moved.Select(m => m.Queued?.UtcDateTime)));
        p.Add(Statement.P(moved.Select(m => m.Runs).ToArray()));
        p.Add(Instants(moved.Select(m => m.Covered?.UtcDateTime)));
        p.Add(Instants(moved.Select(m => m.Failed?.UtcDateTime)));
        p.Add(Instants(moved.Select(m => m.RetryAt?.UtcDateTime)));
        p.Add(Statement.P(moved.Select(m => m.Tries).ToArray()));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Until the next tick that this node may fire, by the database's clock; null: there is none.</summary>
    public static async Task<TimeSpan?> UntilNextAsync(NpgsqlConnection connection, TickerIdentity me, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select min(fire_at) - keelback.clock() from keelback.schedule where {Mine}", connection);
        me.AddTo(command);
        return await command.ExecuteScalarAsync(ct) is TimeSpan wait ? wait : null;
    }

    /// <summary>Schedules that tick, and have ticked, or began, at a time that is to come: by more than clocks are put right from day to day.</summary>
    public static async Task<List<ScheduleRow>> AheadAsync(NpgsqlConnection connection, TickerIdentity me, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select {ScheduleRow.Columns} from keelback.schedule
            where {Mine} and next_at is not null and greatest(last_at, anchor) > keelback.clock() + interval '1 minute'
            """, connection);
        me.AddTo(command);
        return await ScheduleRow.ReadAsync(command, ct);
    }

    private static NpgsqlParameter<DateTime?[]> Instants(IEnumerable<DateTime?> values) =>
        new NpgsqlParameter<DateTime?[]> { TypedValue = [.. values], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz };
}

/// <summary>What a node can fire.</summary>
internal sealed record TickerIdentity(string App, string[] Kinds, string[] Schedules)
{
    public void AddTo(NpgsqlCommand command)
    {
        command.Parameters.AddWithValue(App);
        command.Parameters.AddWithValue(Kinds);
        command.Parameters.AddWithValue(Schedules);
    }
}

/// <summary>A tick that enqueues, and what came of it.</summary>
internal sealed class TickCall(ScheduleRow schedule, DateTimeOffset at)
{
    public ScheduleRow Schedule => schedule;

    public DateTimeOffset At => at;

    /// <summary>Whether the tick is a row already: it waited.</summary>
    public bool HasRow { get; init; }

    /// <summary>The run that is cancelled for it, if it comes to be.</summary>
    public long? Replaces { get; init; }

    public Job? Job { get; set; }

    public EnqueuePlan? Plan { get; set; }

    /// <summary>Whether it can be written in one statement with others: no graph, no unique key, nothing to cancel.</summary>
    public bool IsPlain => Replaces is null && Plan is { IsFlat: true } plan && plan.Roots[0].UniqueKey is null;

    /// <summary>Its run; or the one that holds its unique key, and answers for it.</summary>
    public long? Run { get; set; }

    public bool IsEnqueued { get; set; }

    public Exception? Error { get; set; }

    public JobTickOutcome Outcome =>
        Error is not null ? JobTickOutcome.Failed : IsEnqueued ? JobTickOutcome.Enqueued : JobTickOutcome.Overlapped;

    /// <summary>As before it was made.</summary>
    public void Clear() => (Job, Plan, Run, IsEnqueued, Error) = (null, null, null, false, null);
}

/// <summary>How far a schedule has come in a pass.</summary>
internal sealed record ScheduleProgress(ScheduleRow Schedule)
{
    /// <summary>The last tick that was decided; null: none was due.</summary>
    public DateTimeOffset? Last { get; init; }

    /// <summary>The tick that waits for the last run to end.</summary>
    public DateTimeOffset? Queued { get; init; }

    /// <summary>The tick whose call was refused, and that is tried again.</summary>
    public DateTimeOffset? Failed { get; init; }

    public DateTimeOffset? RetryAt { get; init; }

    public int Tries { get; init; }

    public DateTimeOffset? Next { get; init; }

    public long? LastRun { get; init; }

    /// <summary>The last tick that enqueued; null: none did.</summary>
    public DateTimeOffset? Covered { get; init; }

    /// <summary>Ticks that enqueued.</summary>
    public int Runs { get; init; }
}
