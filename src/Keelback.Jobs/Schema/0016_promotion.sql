-- Limits that are used to their room, whatever else their runs wait for; keys with slots that are forgotten; and one look a second for all nodes.

-- The key, with room, whose runs this one stands for under another that has none: no more of them stand there than it has room for.
alter table keelback.parked add column stands_for bigint;
create index parked_stands_for on keelback.parked (stands_for) where stands_for is not null;

-- When a node of the app next looks at its limits; which, is the first that comes.
create table keelback.limit_look (
    app     text primary key,
    next_at timestamptz not null
) with (fillfactor = 50);

-- Whether nothing of a queue can start: it is paused, or the app has workers and none of them reads it. In a language that keeps its plan.
create function keelback.is_shut(q keelback.queue) returns bool language plpgsql volatile set enable_seqscan = off set jit = off as $$
begin
    return q.paused or not exists (
            select from keelback.worker w where w.app = q.app and w.lease_until > keelback.clock() and (w.queues = '{}' or q.name = any(w.queues)))
        and exists (select from keelback.worker w where w.app = q.app and w.lease_until > keelback.clock());
end $$;

-- Makes the keys of the queues that are shut. In the order of the keys, by who holds no other lock; a promotion makes none.
create function keelback.make_shut(of_app text) returns void language sql volatile as $$
    insert into keelback.bucket (app, key)
    select of_app, '#queue:' || q.name from keelback.queue q
    where q.app = of_app and keelback.is_shut(q)
      and not exists (select from keelback.bucket b where b.app = of_app and b.key = '#queue:' || q.name)
    order by 2
    on conflict do nothing
$$;

-- A key by its name: its room, none where it is of a queue that is shut. Without a row nobody uses it.
create function keelback.room_under(of_app text, of_key text, out bucket bigint, out room int, out opens_at timestamptz, out shut bool)
language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    q keelback.queue;
begin
    room := 2147483647;
    shut := false;
    bucket := (select b.id from keelback.bucket b where b.app = of_app and b.key = of_key);
    if left(of_key, 7) = '#queue:' then
        select * into q from keelback.queue k where k.app = of_app and k.name = substr(of_key, 8);
        shut := coalesce(keelback.is_shut(q), false);
        if shut then room := 0; end if;
        if shut or q.slots is null then return; end if;
    end if;
    if bucket is not null then select o.room, o.opens_at into room, opens_at from keelback.room_of(bucket, keelback.clock()) o; end if;
end $$;

-- Moves as many parked runs of each key as it has room for back into ready, before what has not had its turn. A guess: the claim decides.
-- Those that another key refuses are no use there: they go on waiting under that one, so that who comes behind them is found. But under a key
-- without parameters, which may well refuse all that wait for one of a single customer, only so many as this key has room for stand for the rest,
-- which keep their place: they would have to come back as soon as one of them runs. What is looked at is bounded; with more to look at, the
-- answer is that a key opens now. A row whose key was forgotten in this very moment starts as if it had none; the claim makes the key again.
create or replace function keelback.promote(buckets bigint[], out promoted int, out opens_at timestamptz)
language plpgsql volatile set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    most   constant int := 1000; -- of one key that may start
    aside  constant int := 100;  -- that go on waiting elsewhere
    passed constant int := 32;   -- that stay where they are
    b      bigint;
    own    keelback.bucket;
    o      record;
    x      record;
    k      text;
    i      int;
    j      int;
    needs  int[];
    refused int;
    room   int;
    spare  int;
    wide   int;
    n      int;
    stayed int;
    at_prio smallint;
    at_seq bigint;
    at_run bigint;
    of_app text;
    keys   text[] := '{}';       -- what was asked for already, less what was given out since
    ids    bigint[] := '{}';
    rooms  int[] := '{}';
    shut   bool[] := '{}';
    dead   tid[];
    free   tid[];
    moved  tid[];
    unto   bigint[];
    stands bigint[];
begin
    promoted := 0;
    foreach b in array buckets loop
        continue when not exists (select from keelback.parked p where p.bucket = b);

        select * into own from keelback.bucket where id = b;
        if own.app is distinct from of_app or cardinality(keys) > 100 then -- they are looked through for each run
            of_app := own.app;
            keys := '{}';
            ids := '{}';
            rooms := '{}';
            shut := '{}';
        end if;

        i := array_position(keys, own.key);
        if i is not null then
            room := rooms[i];
        elsif left(own.key, 7) = '#queue:' then
            o := keelback.room_under(of_app, own.key);
            room := o.room;
        else
            o := keelback.room_of(b, keelback.clock()); -- of one that is gone: as many as come
            room := o.room;
            if room <= 0 then opens_at := least(opens_at, o.opens_at); end if;
        end if;
        continue when room <= 0;

        if i is null and own.id is not null then
            keys := keys || own.key;
            ids := ids || b;
            rooms := rooms || room;
            shut := shut || false;
        end if;
        room := least(room, most);

        dead := '{}';
        free := '{}';
        moved := '{}';
        unto := '{}';
        stands := '{}';
        spare := null;
        stayed := 0;
        at_prio := -1;
        at_seq := 0;
        at_run := 0;
        wide := room;
        loop
            n := 0;
            for x in
                select p.*, r.limits
                from (
                    select p.ctid as place, p.* from keelback.parked p
                    where p.bucket = b and (p.priority, p.seq, p.run_id) > (at_prio, at_seq, at_run)
                    order by p.priority, p.seq, p.run_id limit wide for update skip locked) p
                left join lateral (
                    select coalesce(r.limits, '{}') || ('#queue:' || q.name) as limits
                    from keelback.run r cross join keelback.queue q where r.id = p.run_id and r.state = 0 and q.id = abs(p.queue) limit 1) r on true
                order by p.priority, p.seq, p.run_id
            loop
                n := n + 1;
                at_prio := x.priority;
                at_seq := x.seq;
                at_run := x.run_id;
                if x.limits is null then
                    dead := dead || x.place;
                    continue;
                end if;

                refused := null;
                needs := '{}';
                if own.id is not null then
                    foreach k in array x.limits loop
                        j := array_position(keys, k);
                        if j is null then
                            o := keelback.room_under(of_app, k);
                            keys := keys || k;
                            ids := ids || o.bucket;
                            rooms := rooms || o.room;
                            shut := shut || o.shut;
                            j := cardinality(keys);
                        end if;
                        needs := needs || j;
                        -- The most lasting first: what is behind a queue that is shut, or behind a key of its own, comes back once.
                        if rooms[j] <= 0 and ids[j] is distinct from b and (
                            refused is null or shut[j] or not shut[refused] and position(':' in keys[j]) > 0 and left(keys[j], 1) <> '#'
                                and (position(':' in keys[refused]) = 0 or left(keys[refused], 1) = '#'))
                        then
                            refused := j;
                        end if;
                    end loop;
                end if;

                if refused is null then
                    free := free || x.place;
                    room := room - 1;
                    foreach j in array needs loop rooms[j] := rooms[j] - 1; end loop;
                elsif ids[refused] is null then
                    stayed := stayed + 1;
                elsif shut[refused] or position(':' in own.key) = 0 or left(own.key, 1) = '#'
                    or position(':' in keys[refused]) > 0 and left(keys[refused], 1) <> '#'
                then
                    moved := moved || x.place;
                    unto := unto || ids[refused];
                    stands := stands || null::bigint;
                else
                    if spare is null then
                        spare := room - (select count(*) from (select from keelback.parked p where p.stands_for = b limit room) p);
                    end if;
                    if spare > 0 then
                        spare := spare - 1;
                        moved := moved || x.place;
                        unto := unto || ids[refused];
                        stands := stands || b;
                    else
                        stayed := stayed + 1;
                    end if;
                end if;
                exit when room = 0 or stayed = passed or cardinality(moved) = aside;
            end loop;
            if room = 0 and cardinality(free) = most or cardinality(moved) = aside then opens_at := least(opens_at, keelback.clock()); end if;
            exit when n < wide or room = 0 or stayed = passed or cardinality(moved) = aside;
            wide := least(greatest(wide * 2, 8), 64);
        end loop;

        if dead <> '{}' then delete from keelback.parked where ctid = any(dead); end if;

        if moved <> '{}' then
            insert into keelback.parked (bucket, priority, seq, run_id, attempt, crashes, queue, tenant, stands_for)
            select u.bucket, p.priority, p.seq, p.run_id, p.attempt, p.crashes, p.queue, p.tenant, u.stands_for
            from unnest(moved, unto, stands) u (place, bucket, stands_for) join keelback.parked p on p.ctid = u.place;
            delete from keelback.parked where ctid = any(moved);
        end if;

        if free <> '{}' then
            with gone as (
                delete from keelback.parked where ctid = any(free) returning *
            )
            insert into keelback.ready (queue, priority, seq, run_id, attempt, crashes, tenant) overriding system value
            select queue, priority, run_id + (-9223372036854775808), run_id, attempt, crashes, tenant from gone;
            promoted := promoted + cardinality(free);
        end if;
    end loop;
end $$;

-- Keys that nobody has used for as long as their longest window, and under which nothing waits or runs. Locked first, looked at then. A slot
-- whose claim is gone is nobody's, and goes with its key.
create or replace function keelback.forget_buckets(most int) returns int language plpgsql volatile as $$
declare
    ids  bigint[];
    gone bigint[];
begin
    ids := array(select b.id from keelback.bucket b
        where not exists (select from keelback.parked p where p.bucket = b.id)
          and not exists (select from keelback.slot s join keelback.claim c on c.run_id = s.run_id and c.token = s.token where s.bucket = b.id)
          and not exists (select from keelback.starts s where s.bucket = b.id and (s.slice + 21) * s.window_ms / 20000.0 > extract(epoch from keelback.clock()))
        limit most for update skip locked);

    with forgotten as (
        delete from keelback.bucket b where b.id = any(ids)
            and not exists (select from keelback.parked p where p.bucket = b.id)
            and not exists (select from keelback.slot s join keelback.claim c on c.run_id = s.run_id and c.token = s.token where s.bucket = b.id)
            and not exists (select from keelback.starts s where s.bucket = b.id and (s.slice + 21) * s.window_ms / 20000.0 > extract(epoch from keelback.clock()))
        returning b.id
    )
    select coalesce(array_agg(id), '{}') into gone from forgotten;
    delete from keelback.slot s where s.bucket = any(gone);
    delete from keelback.starts s where s.bucket = any(gone);
    return cardinality(gone);
end $$;

-- As before, but that a limit which is made by hand, where the same may have been before, counts what runs even when its keys are forgotten.
create or replace function keelback.hold_limit() returns trigger language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set lock_timeout = '10s' as $$
begin
    -- What is new in the code has nothing to hold, and waits for nobody.
    if tg_op = 'INSERT' and new.set_at is null and not exists (
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
