namespace Keelback.Ops;

/// <summary>Where a run stands: its own state, and for an open one the place of the engine that holds it.</summary>
internal static class RunStates
{
    /// <summary>For a row <c>r</c> of keelback.run: what <see cref="Sql"/> looks at.</summary>
    public const string Joins =
        """
        left join keelback.claim c on c.run_id = r.id
        left join lateral (select n, retry_at, error from keelback.attempt where run_id = r.id order by n desc limit 1) a on true
        left join lateral (select b.key from keelback.parked p join keelback.bucket b on b.id = p.bucket where p.run_id = r.id limit 1) held on r.state = 0
        """;

    /// <summary>The name of a <see cref="Keelback.Jobs.JobRunState"/>.</summary>
    public const string Sql =
        """
        case r.state
            when 1 then 'Succeeded' when 2 then 'Failed' when 3 then 'Cancelled' when 4 then 'UpstreamFailed' when 5 then 'Quarantined'
            when 6 then 'Expired' when 7 then 'Skipped'
            else case
                when c.run_id is not null then 'Running'
                when exists (select from keelback.wait w where w.run_id = r.id) then 'Blocked'
                when held.key is not null then 'Limited'
                when greatest(a.retry_at, r.due_at) > keelback.clock() then 'Scheduled'
                else 'Ready' end
        end
        """;

    /// <summary>Of a run that is <c>Limited</c>: the key that has no room for it.</summary>
    public const string Limit = "held.key";
}
