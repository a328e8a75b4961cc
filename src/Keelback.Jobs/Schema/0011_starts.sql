-- A run whose attempt was given back, by a snooze, a hand-over or a graph in its place, has been started all the same: started_at says it.

-- Ends those of these runs that nobody has started and whose time is over. The waiting rows first, as everybody locks them.
create or replace function keelback.expire(ids bigint[]) returns bigint[] language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    gone     bigint[];
    followed bigint[];
begin
    perform from keelback.wait w where w.run_id = any(ids) order by w.run_id for update;
    perform from keelback.run r where r.id = any(ids) and r.state = 0 order by r.id for no key update;

    with ended as (
        update keelback.run r
        set state = 6, finished_at = keelback.clock(),
            error = jsonb_build_object('type', 'Expired', 'message', 'It was not started by ' || to_char(r.expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC.')
        where r.id = any(ids) and r.state = 0 and r.expires_at <= keelback.clock()
          and r.started_at is null
          and not exists (select from keelback.claim c where c.run_id = r.id)
          and not exists (select from keelback.attempt a where a.run_id = r.id)
        returning r.id, r.followed
    )
    select coalesce(array_agg(e.id), '{}'), coalesce(array_agg(e.id) filter (where e.followed), '{}') into gone, followed from ended e;

    delete from keelback.wait w where w.run_id = any(gone);
    delete from keelback.parked p where p.run_id = any(gone);
    if followed <> '{}' then gone := gone || keelback.settle(followed); end if;
    return gone;
end $$;

-- As before, but for what was started and given back, and that a run is replaced with its graph.
create or replace function keelback.take_unique(of_app text, of_key text, new_run bigint, span interval, by_start bool, on_conflict smallint)
returns bigint language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    held keelback.unique_key;
begin
    insert into keelback.unique_key as u (app, key, run_id, until, until_started)
    values (of_app, of_key, new_run, keelback.clock() + span, by_start)
    on conflict (app, key) do update set key = excluded.key
    returning u.* into held;
    if held.run_id = new_run then return new_run; end if;

    -- Statements of their own, whose snapshots see what the transaction that we waited for has written.
    if held.until > keelback.clock() or exists (
        select from keelback.run r where r.id = held.run_id and r.state = 0 and not (held.until_started and (
            r.started_at is not null or exists (select from keelback.claim c where c.run_id = r.id) or exists (select from keelback.attempt a where a.run_id = r.id))))
    then
        if on_conflict <> 1 then return held.run_id; end if;

        perform keelback.cancel(array(select held.run_id union all select r.id from keelback.run r where r.root = held.run_id and r.id <> held.run_id and r.state = 0), of_app);
        update keelback.run set error = jsonb_build_object('type', 'Replaced', 'message', 'Run ' || new_run || ' has its unique key now.')
        where id = held.run_id and state = 3 and error is null;
    end if;

    update keelback.unique_key set run_id = new_run, until = keelback.clock() + span, until_started = by_start where app = of_app and key = of_key;
    return new_run;
end $$;
