-- Slots that hold for what runs when they come.

-- Slots that a limit is given while runs of it run: each of these holds one, if need be more of them than there are, and the next waits.
create function keelback.hold_limit() returns trigger language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set lock_timeout = '10s' as $$
begin
    -- What is new has nothing to hold, and waits for nobody.
    if tg_op = 'INSERT' and not exists (
        select from keelback.bucket b where b.app = new.app and split_part(b.key, ':', 1) = new.name)
    then
        return null;
    end if;

    -- Claims that may have read the old numbers are over then, those included that are just making their bucket; later ones read the new.
    lock table keelback.bucket in share row exclusive mode;

    with held as materialized (
        select u.key, c.run_id, c.token
        from keelback.claim c
        cross join lateral (select r.queue, r.limits from keelback.run r where r.id = c.run_id limit 1) r
        cross join lateral unnest(r.limits) u (key)
        where split_part(u.key, ':', 1) = new.name
          and r.queue in (select q.id from keelback.queue q where q.app = new.app)
    ), made as (
        insert into keelback.bucket (app, key) select distinct new.app, key from held
        on conflict do nothing
        returning id, key
    )
    insert into keelback.slot (bucket, run_id, token)
    select made.id, held.run_id, held.token from held join made on made.key = held.key
    union all
    select b.id, held.run_id, held.token
    from held cross join lateral (select b.id from keelback.bucket b where b.app = new.app and b.key = held.key) b
    on conflict do nothing;
    return null;
end $$;

create trigger limit_made after insert on keelback.limit_rule
    for each row when (new.slots is not null) execute function keelback.hold_limit();

create trigger limit_changed after update of slots on keelback.limit_rule
    for each row when (old.slots is null and new.slots is not null) execute function keelback.hold_limit();

-- The same for a queue, by each worker that hears of its slots, before it claims again: what it took until then is committed.
create function keelback.hold_queue(queue_id smallint) returns void language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    q keelback.queue;
begin
    select * into q from keelback.queue where id = queue_id;
    insert into keelback.slot (bucket, run_id, token)
    select b.id, c.run_id, c.token
    from unnest(keelback.lock_buckets(q.app, array['#queue:' || q.name])) b (id)
    cross join keelback.claim c
    cross join lateral (select r.queue from keelback.run r where r.id = c.run_id limit 1) r
    where r.queue = queue_id
    on conflict do nothing;
end $$;
