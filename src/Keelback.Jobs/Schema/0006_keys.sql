-- An id is one app's: apps on one database never see each other.
alter table keelback.uniq add column app text;
update keelback.uniq u set app = q.app from keelback.run r join keelback.queue q on q.id = r.queue where r.id = u.run_id;
delete from keelback.uniq where app is null; -- its run is gone
alter table keelback.uniq alter column app set not null, drop constraint uniq_pkey, add primary key (app, id);
create index uniq_run on keelback.uniq (run_id); -- it goes with its run

-- A run knows its unique key, so that it can take it again when it is opened again.
alter table keelback.run
    add column unique_key   text,                       -- with its scope; null: none
    add column key_to_start bool not null default false; -- it has the key until its first start; else until its end

update keelback.run r set unique_key = u.key, key_to_start = u.until_started from keelback.unique_key u where u.run_id = r.id;

-- When a key can be over at the earliest: retention reads them in this order.
create index unique_key_over on keelback.unique_key (app, greatest(until, keelback.run_enqueued_at(run_id)), run_id);

-- As before, but that a window needs no run: its row may be gone.
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
            exists (select from keelback.claim c where c.run_id = r.id) or exists (select from keelback.attempt a where a.run_id = r.id))))
    then
        if on_conflict <> 1 then return held.run_id; end if;

        perform keelback.cancel(array[held.run_id], of_app);
        update keelback.run set error = jsonb_build_object('type', 'Replaced', 'message', 'Run ' || new_run || ' has its unique key now.')
        where id = held.run_id and state = 3 and error is null;
    end if;

    update keelback.unique_key set run_id = new_run, until = keelback.clock() + span, until_started = by_start where app = of_app and key = of_key;
    return new_run;
end $$;

-- Runs that are opened again take their unique keys again; when another run has one, none is opened.
alter function keelback.redrive(bigint[], text, bool) rename to open_again;

create function keelback.redrive(ids bigint[], of_app text, whole bool) returns bigint[] language plpgsql volatile
set enable_seqscan = off set jit = off as $$
declare
    opened bigint[];
    holder bigint;
    x      record;
begin
    -- Before the runs, as who replaces a run has it.
    perform from keelback.unique_key u
    where u.app = of_app and u.key in (
        select k.unique_key from keelback.run r join keelback.run k on k.id = any(array[r.id, r.root]) where r.id = any(ids))
    order by u.key for update;

    opened := keelback.open_again(ids, of_app, whole);
    for x in
        select r.id, r.unique_key, r.key_to_start from keelback.run r
        where r.id = any(opened) and r.unique_key is not null and not (r.key_to_start and r.base_attempt > 0)
        order by r.unique_key
    loop
        holder := keelback.take_unique(of_app, x.unique_key, x.id, null, x.key_to_start, 0::smallint);
        if holder <> x.id then
            raise exception using errcode = 'KB233',
                message = format('Run %s was not opened again: run %s has its unique key ''%s'' now.', x.id, holder, x.unique_key);
        end if;
    end loop;
    return opened;
end $$;
