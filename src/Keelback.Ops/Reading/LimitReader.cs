using Keelback.Jobs;
using Npgsql;

namespace Keelback.Ops;

/// <summary>A limit, and its busiest keys. <c>Others</c> more are in use, or at least so many where <c>OthersAreMore</c>.</summary>
internal sealed record LimitLook(JobLimitRule Rule, IReadOnlyList<LimitKey> Keys, int Others, bool OthersAreMore);

/// <summary>How a key of a limit is used now: <c>InUse</c> and <c>Waiting</c> are counted up to 1,001.</summary>
internal sealed record LimitKey(string Key, int InUse, int Waiting, int MayStart, DateTimeOffset? OpensAt);

/// <summary>Reads the limits and the keys of each under which most waits or runs.</summary>
/// <remarks>
/// A limit may have a key for each customer, so no key is looked at that nobody uses: the first 1,000 under which anything waits, and the first
/// 1,000 of which a slot is held, are found by one probe of an index each, over all limits. Where there are more, the answer says so.
/// </remarks>
internal sealed class LimitReader(NpgsqlDataSource db, QueueCatalog catalog, JobLimits limits)
{
    private const int MostLooked = 1000;
    private const int MostShown = 20; // of one limit

    /// <summary>Every limit that has numbers, by name.</summary>
    public async Task<(IReadOnlyList<LimitLook> Limits, DateTimeOffset Now)> AllAsync(CancellationToken ct) => await LookAsync(await limits.ListAsync(ct), ct);

    /// <exception cref="KeelbackException">KB1730: there is no such limit.</exception>
    public async Task<(LimitLook Limit, DateTimeOffset Now)> FindAsync(string name, CancellationToken ct)
    {
        var all = await limits.ListAsync(ct);
        var rule = all.FirstOrDefault(r => r.Name == name) ?? throw OpsErrors.NoSuchLimit(name, [.. all.Select(r => r.Name)]);
        var (looks, now) = await LookAsync([rule], ct);
        return (looks[0], now);
    }

    private async Task<(IReadOnlyList<LimitLook> Limits, DateTimeOffset Now)> LookAsync(IReadOnlyList<JobLimitRule> rules, CancellationToken ct)
    {
        await using var batch = db.CreateBatch();
        batch.BatchCommands.Add(Statement.ByKey());
        batch.BatchCommands.Add(Statement.Of(
            """
            with recursive waits (bucket, n) as (
                (select bucket, 1 from keelback.parked order by bucket limit 1)
                union all
                select (select p.bucket from keelback.parked p where p.bucket > w.bucket order by p.bucket limit 1), w.n + 1
                from waits w where w.bucket is not null and w.n <= $3
            ), holds (bucket, n) as (
                (select bucket, 1 from keelback.slot order by bucket limit 1)
                union all
                select (select s.bucket from keelback.slot s where s.bucket > h.bucket order by s.bucket limit 1), h.n + 1
                from holds h where h.bucket is not null and h.n <= $3
            ), keys as (
                select b.id, b.key, split_part(b.key, ':', 1) as name
                from (select bucket from waits where n <= $3 union select bucket from holds where n <= $3) u
                join keelback.bucket b on b.id = u.bucket
                where b.app = $1 and split_part(b.key, ':', 1) = any($2)
                union
                select b.id, b.key, b.key from keelback.bucket b where b.app = $1 and b.key = any($2)
            ), used as (
                select k.*,
                       (select count(*)::int from (
                           select from keelback.slot s join keelback.claim c on c.run_id = s.run_id and c.token = s.token where s.bucket = k.id limit 1001) s) as in_use,
                       (select count(*)::int from (select from keelback.parked p where p.bucket = k.id limit 101) p) as waiting
                from keys k
            ), ranked as (
                select *, row_number() over (partition by name order by waiting desc, in_use desc, key) as place, count(*) over (partition by name)::int as found
                from used where in_use > 0 or waiting > 0 or key = name
            )
            select keelback.clock(), looked.is_more, k.*
            from (select exists (select from waits where bucket is not null and n > $3) or exists (select from holds where bucket is not null and n > $3) as is_more) looked
            left join (
                select r.name, r.key, r.in_use, (select count(*)::int from (select from keelback.parked p where p.bucket = r.id limit 1001) p),
                       greatest(0, o.room), o.opens_at, r.found, r.place
                from ranked r
                cross join lateral keelback.room_of(r.id, keelback.clock()) o
                where r.place <= $4) k on true
            order by k.name, k.place
            """, Statement.P(catalog.App), Statement.P(rules.Select(r => r.Name).ToArray()), Statement.P(MostLooked), Statement.P(MostShown)));

        await using var row = await batch.ExecuteReaderAsync(ct);
        await row.NextResultAsync(ct);
        var (now, isMore) = (default(DateTimeOffset), false);
        var keys = new List<(string Limit, LimitKey Key, int Found)>();
        while (await row.ReadAsync(ct))
        {
            (now, isMore) = (row.GetFieldValue<DateTimeOffset>(0), row.GetBoolean(1));
            if (row.IsDBNull(2)) break; // no key is in use
            keys.Add((row.GetString(2),
                new(row.GetString(3), row.GetInt32(4), row.GetInt32(5), row.GetInt32(6), row.IsDBNull(7) ? null : row.GetFieldValue<DateTimeOffset>(7)), row.GetInt32(8)));
        }

        var byLimit = keys.ToLookup(k => k.Limit);
        return ([.. rules.Select(rule => new LimitLook(
            rule, [.. byLimit[rule.Name].Select(k => k.Key)], byLimit[rule.Name].Select(k => k.Found - MostShown).FirstOrDefault(n => n > 0), isMore))], now);
    }
}
