using Keelback.Jobs;
using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Keelback.Ops;

/// <summary>Copies runs to where they can be searched, and counts them, in batches behind the engine's back: no job waits for it.</summary>
/// <remarks>
/// Each app's runs by its own nodes, any of them; the cursor's row lock makes it one at a time. Run ids grow with time, so new ones are a range. What committed late, with an
/// id below the cursor, is found by a second look, once everything has ended that was writing at the first. Ends are found by asking open
/// runs in turn: the newest each time, the rest in rounds, which go on at once while they find many. The lag that is told is that of the rounds.
/// Runs that somebody let run again are found by asking those that ended without success the same way; such a round counts in the lag from
/// the first one that it finds, since there may be a million of them, of which none is opened again.
/// </remarks>
internal sealed class SearchAgent(NpgsqlDataSource db, QueueCatalog catalog, TimeProvider clock, ILogger<SearchAgent> log) : PollingService(clock, log)
{
    private const int PageSize = 2000;
    private const int RoundSize = 10_000; // open runs a pass, once there are more than a page: about 0.1 s; ended ones: 0.05 s
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_behind = TimeSpan.FromMilliseconds(200); // most runs have ended by then, and are written once

    private bool _goesOn;

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        _goesOn = await PassAsync(inTurn: !_goesOn, stopping);
        return _goesOn ? TimeSpan.Zero : s_idle;
    }

    /// <summary>One pass. True: there is more to do.</summary>
    internal Task<bool> PassAsync(CancellationToken ct) => PassAsync(inTurn: false, ct);

    // In turn, or each of many processes would ask the open runs every second.
    private async Task<bool> PassAsync(bool inTurn, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var fast = new NpgsqlCommand("select set_config('synchronous_commit', 'off', true), set_config('jit', 'off', true)", connection))
            await fast.ExecuteNonQueryAsync(ct);
        if (await SearchCursor.TakeAsync(connection, catalog.App, s_behind, ct) is not { } cursor) return false;
        if (inTurn && !await Turn.TakeAsync(connection, $"search:{catalog.App}", s_idle * 0.9, ct)) return false;

        var rollup = new RollupBatch();
        var more = false;

        if (cursor.SecondLookIsDue)
        {
            var late = await RunCopy.NewAsync(connection, catalog.App, cursor.Safe, cursor.Tick!.Value, again: true, PageSize, rollup, ct);
            if (late.Count == PageSize) more = true;
            else cursor = cursor with { Safe = cursor.Tick.Value, Tick = null };
        }

        var page = await RunCopy.NewAsync(connection, catalog.App, cursor.Fast, cursor.UpTo, again: false, PageSize, rollup, ct);
        more |= page.Count == PageSize;
        cursor = cursor with { Fast = page.Count == PageSize ? page.Last : cursor.UpTo, CaughtUp = page.Count < PageSize };

        var newest = await RunCopy.EndedAsync(connection, catalog.App, long.MaxValue, newest: true, PageSize / 4, rollup, ct);
        var size = cursor.Look == 0 ? PageSize : RoundSize;
        var round = await RunCopy.EndedAsync(connection, catalog.App, cursor.Look, newest: false, size, rollup, ct);
        cursor = cursor.After(round, size);
        more |= round.Changed > PageSize / 10 || newest.Changed > PageSize / 20;

        var lately = cursor.LookBack == 0 ? default : await RunCopy.ReopenedAsync(connection, catalog.App, long.MaxValue, newest: true, PageSize / 4, rollup, ct);
        size = cursor.LookBack == 0 ? PageSize : RoundSize;
        var again = await RunCopy.ReopenedAsync(connection, catalog.App, cursor.LookBack, newest: false, size, rollup, ct);
        cursor = cursor.AfterBack(again, size, finds: lately.Changed + again.Changed > 0);
        more |= lately.Changed > PageSize / 20 || again.Changed > PageSize / 20;

        await using (var batch = new NpgsqlBatch(connection))
        {
            foreach (var command in rollup.Commands()) batch.BatchCommands.Add(command);
            batch.BatchCommands.Add(cursor.Save(catalog.App));
            await batch.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
        return more;
    }
}

/// <summary>The app's row of <c>keelback.search_cursor</c>, locked.</summary>
internal sealed record SearchCursor(
    long Fast, long Safe, long? Tick, bool SecondLookIsDue, long Look, long LookBack, long UpTo, DateTime UpToTime, DateTime RoundAt, DateTime EndsAt, DateTime? AgainAt)
{
    public bool CaughtUp { get; init; }

    /// <summary>Where the next part of the round over the open runs begins; after the last part, a new round.</summary>
    public SearchCursor After(CopiedPage part, int size)
    {
        var began = Look == 0 ? UpToTime : RoundAt;
        return part.Count == size ? this with { Look = part.Last, RoundAt = began } : this with { Look = 0, RoundAt = began, EndsAt = began };
    }

    /// <summary>The same of the round over the runs that ended without success, which is behind only from where it finds some.</summary>
    public SearchCursor AfterBack(CopiedPage part, int size, bool finds) => part.Count == size
        ? this with { LookBack = part.Last, AgainAt = AgainAt ?? (finds ? UpToTime : null) }
        : this with { LookBack = 0, AgainAt = null };

    /// <summary>Null: another node has it.</summary>
    public static async Task<SearchCursor?> TakeAsync(NpgsqlConnection connection, string app, TimeSpan behind, CancellationToken ct)
    {
        await using (var first = new NpgsqlCommand(
            """
            insert into keelback.search_cursor (app, fast, safe, tick, tick_xmax, look, look_back, at) select $1, 0, 0, null, null, 0, 0, 'epoch'
            where not exists (select from keelback.search_cursor where app = $1) on conflict do nothing
            """, connection))
        {
            first.Parameters.AddWithValue(app);
            await first.ExecuteNonQueryAsync(ct);
        }

        await using var command = new NpgsqlCommand(
            """
            select fast, safe, tick, coalesce(tick is not null and tick_xmax <= pg_snapshot_xmin(pg_current_snapshot()), false), look, look_back,
                   keelback.first_run_id(now.at - $1), now.at - $1, coalesce(round_at, 'epoch'), coalesce(ends_at, 'epoch'), again_at
            from keelback.search_cursor, (select keelback.clock() as at) now
            where app = $2
            for update of search_cursor skip locked
            """, connection);
        command.Parameters.AddWithValue(behind);
        command.Parameters.AddWithValue(app);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct)) return null;

        var cursor = new SearchCursor(
            row.GetInt64(0), row.GetInt64(1), row.IsDBNull(2) ? null : row.GetInt64(2), row.GetBoolean(3), row.GetInt64(4), row.GetInt64(5),
            row.GetInt64(6), row.GetDateTime(7), row.GetDateTime(8), row.GetDateTime(9),
            row.IsDBNull(10) ? null : row.GetDateTime(10));
        return cursor.UpTo < cursor.Fast ? cursor with { UpTo = cursor.Fast } : cursor; // the clock may go back
    }

    /// <remarks>Where no second look is open, the next one begins: it waits for whatever is writing now.</remarks>
    public NpgsqlBatchCommand Save(string app)
    {
        var command = new NpgsqlBatchCommand(
            """
            update keelback.search_cursor
            set fast = $1, safe = $2, tick = coalesce($3, $1),
                tick_xmax = case when $3 is null then pg_snapshot_xmax(pg_current_snapshot()) else tick_xmax end,
                look = $4, look_back = $5, round_at = $9, ends_at = $10, again_at = $11,
                at = least($10, $11, case when $6 then $7 else keelback.run_enqueued_at($1) end)
            where app = $8
            """);
        command.Parameters.Add(new() { Value = Fast });
        command.Parameters.Add(new() { Value = Safe });
        command.Parameters.Add(new() { Value = (object?)Tick ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = Look });
        command.Parameters.Add(new() { Value = LookBack });
        command.Parameters.Add(new() { Value = CaughtUp });
        command.Parameters.Add(new() { Value = UpToTime });
        command.Parameters.Add(new() { Value = app });
        command.Parameters.Add(new() { Value = RoundAt });
        command.Parameters.Add(new() { Value = EndsAt });
        command.Parameters.Add(new() { Value = (object?)AgainAt ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        return command;
    }
}
