-- As before, but that a run which ends as another one did keeps the result as long as it says itself, or as those need that follow it.
create or replace function keelback.settle(ids bigint[]) returns bigint[] language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    level bigint[] := ids;
    ended bigint[];
    every bigint[] := '{}';
begin
    while cardinality(level) > 0 loop
        with up as materialized (
            select r.* from (select distinct unnest(level) as id) i
            cross join lateral (select id, kind, state, error from keelback.run where id = i.id and state <> 0 limit 1) r
        ), flipped as (
            update keelback.edge e set done = true from up where e.up = up.id and not e.done
            returning e.down, e.rule, up.id as up, up.state
        ), n as (
            select down,
                   count(*)::int as opened,
                   min(up) filter (where rule = 3) as mirrored,
                   min(up) filter (where rule = 0 and state not in (1, 7)) as broken,
                   min(up) filter (where rule = 0 and state = 7 or rule = 1 and state in (1, 7)) as shut
            from flipped group by down
        ), v as (
            -- By key, in the order in which everybody locks them: without a hash, a join of two lists would compare them in pairs.
            select w.*, n.opened, n.mirrored, n.broken, n.shut, coalesce(n.mirrored, n.broken, n.shut) is not null as ends
            from (select * from n order by down) n
            cross join lateral (select * from keelback.wait where run_id = n.down for update) w
        ), fewer as (
            update keelback.wait set pending = v.pending - v.opened from v where wait.run_id = v.run_id and not v.ends and v.pending > v.opened
        ), gone as (
            delete from keelback.wait using v where wait.run_id = v.run_id and (v.ends or v.pending <= v.opened) returning v.*
        ), soon as (
            insert into keelback.ready (queue, priority, run_id, tenant, attempt)
            select case when tenant is null then queue else -queue end, priority, run_id, tenant, attempt
            from gone where not ends and (due_at is null or due_at <= keelback.clock())
        ), later as (
            insert into keelback.timer (at, run_id, what, attempt)
            select due_at, run_id, 0, attempt from gone where not ends and due_at > keelback.clock()
        ), over as (
            select gone.run_id, gone.mirrored, up.state as up_state,
                   case when gone.mirrored is not null then case when up.state in (4, 5, 6) then 2 else up.state end
                        when gone.broken is not null then 4 else 7 end as state,
                   case when gone.mirrored is not null then up.error
                        when gone.broken is null then jsonb_build_object('type', 'Skipped', 'run', up.id, 'message',
                            format('Run %s of ''%s'' ended as %s, and this one was to follow another end.', up.id, up.kind, keelback.state_name(up.state)))
                        when up.state = 4 then up.error
                        else jsonb_build_object('type', 'UpstreamFailed', 'run', up.id, 'message',
                            format('Run %s of ''%s'', which this one waits for, ended as %s', up.id, up.kind, keelback.state_name(up.state))
                            || coalesce(': ' || left(up.error ->> 'message', 1000), '.')) end as error
            from gone
            cross join lateral (select id, kind, state, error from keelback.run where id = coalesce(gone.mirrored, gone.broken, gone.shut) limit 1) up
        ), u as (
            update keelback.run r
            set state = over.state, error = over.error, finished_at = keelback.clock(),
                output = case when over.up_state = 1 and over.mirrored is not null and (r.followed or r.result_ms is distinct from 0)
                    then (select g.output from keelback.run g where g.id = over.mirrored limit 1) end
            from over where r.id = over.run_id and r.state = 0
            returning r.id, r.followed, r.output is not null as has_output, r.result_ms
        ), forgotten as (
            insert into keelback.timer (at, run_id, what)
            select keelback.clock() + result_ms * interval '1 ms', id, 3 from u where has_output and result_ms > 0 and not followed
            on conflict do nothing
        )
        select coalesce(array_agg(id), '{}'), coalesce(array_agg(id) filter (where followed), '{}') into ended, level from u;
        every := every || ended;
    end loop;
    return every;
end $$;
