using System.Globalization;
using Keelback.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Keelback.Jobs;

/// <summary>
/// Drops weeks of runs that are older than the retention. A week that holds an open run, one that is still needed, a young one, or another
/// app's, stays; the app's old ended runs that are not needed go by pages. Needed is what an open run follows, or one that may be opened again:
/// it did not succeed, and is itself not older than the retention. Whether a week or a page of runs may go is decided under
/// <see cref="RetentionLock"/>, and what may go does so before that is let go.
/// </summary>
internal sealed class RetentionLoop(NpgsqlDataSource db, QueueCatalog queues, IOptions<JobsOptions> options, TimeProvider clock, ILogger<RetentionLoop> log)
    : PollingService(clock, log)
{
    private const int PageSize = 1000;
    private const long Week = 7 * 86400;

    private const string Needs = "(d.state = 0 or d.state <> 1 and d.finished_at > keelback.clock() - $1)";

    protected override TimeSpan RetryAfter => TimeSpan.FromMinutes(1);

    protected override async Task<TimeSpan> PollAsync(CancellationToken stopping)
    {
        var (partitions, runs) = await RetireAsync(stopping);
        if (partitions > 0 || runs > 0) Log.Retired(log, partitions, runs);

        return TimeSpan.FromHours(1);
    }

    internal async Task<(int Partitions, int Runs)> RetireAsync(CancellationToken ct)
    {
        var (dropped, deleted) = (0, 0);
        short[] own = [.. (await queues.AllAsync(ct)).Select(q => q.Id)];
        foreach (var week in await ExpiredAsync(ct))
        {
            if (await DropAsync(week, own, ct))
            {
                dropped++;
                continue;
            }

            int page;
            do deleted += page = await DeletePageAsync(week, own, ct);
            while (page == PageSize);
        }

        await KeyRetention.RunAsync(db, queues.App, options.Value.Retention, ct);
        await TickRetention.RunAsync(db, queues.App, options.Value.Retention, ct);
        await ForgetRevocationsAsync(ct);
        return (dropped, deleted);
    }

    private async Task ForgetRevocationsAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand("delete from keelback.revocation where app = $1 and until <= keelback.clock()");
        command.Parameters.AddWithValue(queues.App);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The weeks (since 1970) whose every run was enqueued longer ago than the retention.</summary>
    private async Task<List<long>> ExpiredAsync(CancellationToken ct)
    {
        await using var command = db.CreateCommand(
            """
            select substring(c.relname from 5)::bigint as week
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'keelback.run'::regclass
              and (substring(c.relname from 5)::bigint + 1) * $1 < extract(epoch from keelback.clock() - $2)
            order by 1
            """);
        command.Parameters.AddWithValue(Week);
        command.Parameters.AddWithValue(options.Value.Retention);

        var weeks = new List<long>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) weeks.Add(row.GetInt64(0));

        return weeks;
    }

    private async Task<bool> IsOverAsync(NpgsqlConnection connection, long week, short[] own, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select not exists (select from keelback.run_{Text(week)} where state = 0 or finished_at > keelback.clock() - $1 or queue <> all($2))
               and not exists (
                   select from keelback.edge_{Text(week)} e cross join lateral (select state, finished_at from keelback.run where id = e.down limit 1) d where {Needs})
            """, connection);
        command.Parameters.AddWithValue(options.Value.Retention);
        command.Parameters.AddWithValue(own);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private async Task<bool> DropAsync(long week, short[] own, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        if (!await IsOverAsync(connection, week, own, ct)) return false; // most are not, and nobody need wait for that

        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var held = new NpgsqlBatch(connection, transaction) { BatchCommands = { SoonOrNever(), RetentionLock.ToDelete(queues.App) } })
            await held.ExecuteNonQueryAsync(ct);
        if (!await IsOverAsync(connection, week, own, ct)) return false; // one was opened again, or is waited for, since the first look

        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                OfWeek("uniq", week),
                OfWeek("tag", week),
                OfWeek("progress", week),
                new($"drop table if exists keelback.run_{Text(week)}, keelback.attempt_{Text(week)}, keelback.edge_{Text(week)}, keelback.log_{Text(week)}"),
            },
        };
        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    // A drop locks the parent: it gives up rather than let every enqueuer queue behind it.
    private static NpgsqlBatchCommand SoonOrNever() => new("select set_config('lock_timeout', '2s', true)");

    private static NpgsqlBatchCommand OfWeek(string table, long week) => Statement.Of(
        $"delete from keelback.{table} where run_id >= keelback.first_run_id(to_timestamp($1)) and run_id < keelback.first_run_id(to_timestamp($2))",
        Statement.P((double)(week * Week)), Statement.P((double)((week + 1) * Week)));

    // A run that somebody has locked may be needed in a moment: it is passed over. Locked rows are also what servers need that do not look again whether
    // a row that changed under a delete is still the one at its place (before the minor releases of November 2025).
    private async Task<int> DeletePageAsync(long week, short[] own, CancellationToken ct)
    {
        var delete = Statement.Of(
            $"""
            with page as (
                delete from keelback.run_{Text(week)} where ctid = any(array(
                    select ctid from keelback.run_{Text(week)}
                    where state <> 0 and finished_at <= keelback.clock() - $1 and queue = any($3)
                      and not exists (select from keelback.edge e join keelback.run d on d.id = e.down where e.up = run_{Text(week)}.id and {Needs})
                    limit $2
                    for update skip locked))
                returning id
            ), u as (
                delete from keelback.uniq where run_id in (select id from page)
            ), l as (
                delete from keelback.log where run_id in (select id from page)
            ), t as (
                delete from keelback.tag where run_id in (select id from page)
            ), p as (
                delete from keelback.progress where run_id in (select id from page)
            ), a as (
                delete from keelback.attempt_{Text(week)} where run_id in (select id from page)
            ), e as (
                delete from keelback.edge_{Text(week)} where up in (select id from page)
            )
            select count(*)::int from page
            """,
            Statement.P(options.Value.Retention), Statement.P(PageSize), Statement.P(own));

        await using var connection = await db.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { SoonOrNever(), RetentionLock.ToDelete(queues.App), delete } };
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        await row.NextResultAsync(ct);
        await row.ReadAsync(ct);
        return row.GetInt32(0);
    }

    private static string Text(long week) => week.ToString(CultureInfo.InvariantCulture);
}
