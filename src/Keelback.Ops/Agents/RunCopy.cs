using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>What a page did: how many rows it looked at, the last one's id, and of how many it learned something.</summary>
internal readonly record struct CopiedPage(int Count, long Last, int Changed);

/// <summary>The agent's statements.</summary>
internal static class RunCopy
{
    private const string LastFailure = "left join lateral (select n, error from keelback.attempt where run_id = r.id order by n desc limit 1) f on true";
    private const string WordsOf = "keelback.words_of(left(r.input::text, 3000) || ' ' || coalesce(left(coalesce(r.error, f.error)::text, 1000), ''))";

    /// <summary>Copies runs with ids over <paramref name="after"/>, up to <paramref name="upTo"/>; <paramref name="again"/>: those only that were not seen before.</summary>
    public static async Task<CopiedPage> NewAsync(
        NpgsqlConnection connection, string app, long after, long upTo, bool again, int limit, RollupBatch rollup, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(
            $"""
            with raw as materialized (
                select * from keelback.run r
                where id > $1 and id <= $2
                  {(again ? $"and {OfApp("$4")} and not exists (select from keelback.run_search s where s.id = r.id)" : "")}
                order by id limit $3
            ), page as materialized (
                select r.*, coalesce(f.n, 0) as failures, {WordsOf} as words from raw r {LastFailure} where {OfApp("$4")}
            ), s as (
                insert into keelback.run_search (id, kind, queue, state, finished_at, failures, tags)
                select id, kind, queue, state, finished_at, failures, (select array_agg(tag order by tag) from keelback.tag where run_id = r.id) from page r
                on conflict do nothing returning id
            ), w as (
                insert into keelback.run_words (id, words) select id, words from page on conflict do nothing
            )
            select {RunFact.Columns}, exists (select from s where s.id = r.id), raw.count::int, raw.last
            from (select count(*) as count, max(id) as last from raw) raw left join page r on true
            """, Statement.P(after), Statement.P(upTo), Statement.P(limit), Statement.P(app)));

        var (count, last, copied) = (0, after, 0);
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct))
        {
            count = row.GetInt32(11);
            if (!row.IsDBNull(12)) last = row.GetInt64(12);
            if (row.IsDBNull(0) || !row.GetBoolean(10)) continue;

            var run = RunFact.Read(row);
            rollup.Enqueued(run);
            if (run.HasEnded) rollup.Ended(run);
            copied++;
        }

        return new(count, last, copied);
    }

    /// <summary>Asks open runs whether they have ended, or one more attempt of theirs has failed: the newest, or a page over <paramref name="after"/>.</summary>
    public static async Task<CopiedPage> EndedAsync(
        NpgsqlConnection connection, string app, long after, bool newest, int limit, RollupBatch rollup, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(
            $"""
            with page as materialized (
                select id, failures from keelback.run_search
                where state = 0 and {(newest ? "id < $1 order by id desc" : "id > $1 order by id")} limit $2
            ), changed as materialized (
                select r.*, coalesce(f.n, 0) as failures, case when r.error is not null or f.n > p.failures then {WordsOf} end as words
                from page p cross join lateral (select * from keelback.run where id = p.id limit 1) r {LastFailure}
                where (r.state <> 0 or f.n > p.failures) and {OfApp("$3")}
            ), s as (
                update keelback.run_search s set state = c.state, finished_at = c.finished_at, failures = c.failures from changed c where s.id = c.id
            ), w as (
                update keelback.run_words w set words = c.words from changed c where w.id = c.id and c.words is not null
            )
            select {RunFact.Columns}, p.count::int, p.last
            from (select count(*) as count, max(id) as last from page) p left join changed r on true
            """, Statement.P(after), Statement.P(limit), Statement.P(app)));
        return await ChangesAsync(batch, after, run =>
        {
            if (run.HasEnded) rollup.Ended(run);
        }, ct);
    }

    /// <summary>Asks runs that ended without success whether somebody let them run again; they may have ended once more since. The newest, or a page over <paramref name="after"/>.</summary>
    public static async Task<CopiedPage> ReopenedAsync(
        NpgsqlConnection connection, string app, long after, bool newest, int limit, RollupBatch rollup, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(
            $"""
            with page as materialized (
                select id, finished_at from keelback.run_search
                where state > 1 and {(newest ? "id < $1 order by id desc" : "id > $1 order by id")} limit $2
            ), again as materialized (
                select r.*, coalesce(f.n, 0) as failures, case when r.error is not null then {WordsOf} end as words
                from page p cross join lateral (select * from keelback.run where id = p.id limit 1) r {LastFailure}
                where r.finished_at is distinct from p.finished_at and {OfApp("$3")}
            ), s as (
                update keelback.run_search s set state = a.state, finished_at = a.finished_at, failures = a.failures from again a where s.id = a.id
            ), w as (
                update keelback.run_words w set words = a.words from again a where w.id = a.id and a.words is not null
            )
            select {RunFact.Columns}, p.count::int, p.last
            from (select count(*) as count, max(id) as last from page) p left join again r on true
            """, Statement.P(after), Statement.P(limit), Statement.P(app)));
        return await ChangesAsync(batch, after, run =>
        {
            rollup.Reopened(run);
            if (run.HasEnded) rollup.Ended(run);
        }, ct);
    }

    private static string OfApp(string app) => $"r.queue in (select id from keelback.queue where app = {app})";

    private static async Task<CopiedPage> ChangesAsync(NpgsqlBatch batch, long after, Action<RunFact> note, CancellationToken ct)
    {
        var (count, last, noted) = (0, after, 0);
        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        while (await row.ReadAsync(ct))
        {
            count = row.GetInt32(10);
            if (!row.IsDBNull(11)) last = row.GetInt64(11);
            if (row.IsDBNull(0)) continue;

            note(RunFact.Read(row));
            noted++;
        }

        return new(count, last, noted);
    }
}
