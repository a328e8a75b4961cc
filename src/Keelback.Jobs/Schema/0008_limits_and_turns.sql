-- Limits that hold for what runs when they come, a flood over a limit that is out of the way at once, and a turn for runs without a tenant.

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

-- What these runs, which were just refused, are the head of: a flood over its limit would hold up all that is behind it for as many claims as
-- it is long. Who comes next in their lane and needs a key that refused them is parked too. The look ahead is short, and doubles while half
-- of what it saw had to go: it costs in proportion to what it moves. Runs that were brought back, below zero, are no flood.
create function keelback.park_ahead(refused bigint[]) returns void language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    ids   bigint[];
    keys  text[];
    lane  record;
    upto  bigint;
    wide  int;
    moved int;
begin
    select array_agg(b.id), array_agg(b.key) into ids, keys
    from (select distinct p.bucket from keelback.parked p where p.run_id = any(refused)) p join keelback.bucket b on b.id = p.bucket;

    for lane in
        select p.queue, p.priority, max(p.seq) as seq from keelback.parked p where p.run_id = any(refused) group by 1, 2 having max(p.seq) > 0
    loop
        wide := 32;
        loop
            upto := (select max(w.seq) from (
                select r.seq from keelback.ready r where r.queue = lane.queue and r.priority = lane.priority and r.seq > lane.seq order by r.seq limit wide) w);
            exit when upto is null;

            -- What another worker has just taken, it decides about.
            with gone as (
                delete from keelback.ready where ctid = any(array(
                    select r.ctid
                    from keelback.ready r cross join lateral (select b.limits from keelback.run b where b.id = r.run_id and b.state = 0 limit 1) b
                    where r.queue = lane.queue and r.priority = lane.priority and r.seq > lane.seq and r.seq <= upto and b.limits && keys
                    order by r.seq
                    for update of r skip locked))
                returning *
            )
            insert into keelback.parked (bucket, priority, seq, run_id, attempt, crashes, queue, tenant)
            select ids[array_position(keys, k.key)], g.priority, g.seq, g.run_id, g.attempt, g.crashes, g.queue, g.tenant
            from gone g
            cross join lateral (select b.limits from keelback.run b where b.id = g.run_id limit 1) b
            cross join lateral (select u.key from unnest(b.limits) with ordinality u (key, ord) where u.key = any(keys) order by u.ord limit 1) k;
            get diagnostics moved = row_count;
            exit when moved * 2 < wide or wide = 1024;
            lane.seq := upto;
            wide := wide * 2;
        end loop;
    end loop;
end $$;

-- Decides about rows that a claim has taken: who may start gets a token; who is over a limit is parked, and with it what would be refused next; whose time is over ends.
-- Each statement in here has a snapshot of its own, taken under the locks.
create or replace function keelback.admit(
    of_app text, queues smallint[], priorities smallint[], seqs bigint[], ids bigint[], attempts smallint[], crashed smallint[], tenants text[])
returns table (run_id bigint, token bigint, attempt smallint, crashes smallint, at timestamptz)
language plpgsql volatile set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    late     bigint[];
    all_keys text[];
    buckets  bigint[];
    room     int[] := '{}';
    used     int[] := '{}';
    x        record;
    k        text;
    i        int;
    refused  int;
    turned   bigint[] := '{}';
    now_at   timestamptz;
    slotted  bool[] := '{}';
    s_bucket bigint[] := '{}';
    s_run    bigint[] := '{}';
    s_token  bigint[] := '{}';
begin
    -- Before the timer that ends it can: one of the two sees the other.
    perform from keelback.run r
    where r.id = any(array(select id from unnest(ids, attempts) t (id, n) where n = 0)) and r.expires_at is not null
    order by r.id for no key update;

    late := array(select r.id from keelback.run r
        where r.id = any(array(select id from unnest(ids, attempts) t (id, n) where n = 0)) and r.expires_at <= keelback.clock());
    if late <> '{}' then late := keelback.expire(late); end if;

    all_keys := array(
        select distinct w.key from unnest(queues, ids) t (queue, run_id)
        cross join lateral (select r.limits from keelback.run r where r.id = t.run_id limit 1) r
        cross join lateral (select unnest(r.limits) as key union select '#queue:' || q.name from keelback.queue q where q.id = abs(t.queue) and q.slots is not null) w
        where t.run_id <> all(late));
    if all_keys <> '{}' then buckets := keelback.lock_buckets(of_app, all_keys); end if;

    now_at := keelback.clock();
    for i in 1 .. cardinality(all_keys) loop
        room[i] := (select o.room from keelback.room_of(buckets[i], now_at) o);
        used[i] := 0;
    end loop;

    slotted := array(
        select case when left(key, 7) = '#queue:' then true
            else exists (select from keelback.limit_rule l where l.app = of_app and l.name = split_part(key, ':', 1) and l.slots is not null) end
        from unnest(all_keys) with ordinality u (key, ord) order by ord);

    for x in
        select t.*, array(
            select array_position(all_keys, w.key)
            from (select u.key, u.ord from unnest(r.limits) with ordinality u (key, ord)
                  union all select '#queue:' || q.name, 0 from keelback.queue q where q.id = abs(t.queue) and q.slots is not null) w
            order by w.ord) as needs
        from unnest(queues, priorities, seqs, ids, attempts, crashed, tenants) with ordinality t (queue, priority, seq, run_id, attempt, crashes, tenant, ord)
        cross join lateral (select r.limits from keelback.run r where r.id = t.run_id and r.state = 0 limit 1) r
        where t.run_id <> all(late)
        order by t.ord
    loop
        refused := null;
        foreach i in array x.needs loop
            if room[i] <= 0 then
                refused := i;
                exit;
            end if;
        end loop;

        if refused is not null then
            insert into keelback.parked (bucket, priority, seq, run_id, attempt, crashes, queue, tenant)
            values (buckets[refused], x.priority, x.seq, x.run_id, x.attempt, x.crashes, x.queue, x.tenant);
            turned := turned || x.run_id;
            continue;
        end if;

        run_id := x.run_id;
        token := nextval('keelback.token_seq');
        attempt := x.attempt;
        crashes := x.crashes;
        at := now_at;
        foreach i in array x.needs loop
            room[i] := room[i] - 1;
            used[i] := used[i] + 1;
            if slotted[i] then
                s_bucket := s_bucket || buckets[i];
                s_run := s_run || run_id;
                s_token := s_token || token;
            end if;
        end loop;
        return next;
    end loop;
    if turned <> '{}' then perform keelback.park_ahead(turned); end if;

    -- The dead ones go only here, under the lock: a promotion that deleted them could wait for us, and we for it.
    delete from keelback.slot s where s.bucket = any(buckets)
        and not exists (select from keelback.claim c where c.run_id = s.run_id and c.token = s.token);
    insert into keelback.slot (bucket, run_id, token) select * from unnest(s_bucket, s_run, s_token);

    -- What was given out stays given out when the database crashes: this commit waits for the disk after all.
    if exists (select from unnest(used) n where n > 0) and current_setting('keelback.synchronous_commit', true) <> '' then
        perform set_config('synchronous_commit', current_setting('keelback.synchronous_commit'), true);
    end if;

    insert into keelback.starts (bucket, window_ms, slice, n)
    select u.bucket, w.window_ms, floor(extract(epoch from now_at) * 20000 / w.window_ms), u.n
    from unnest(buckets, all_keys, used) u (bucket, key, n)
    join keelback.limit_rule l on l.app = of_app and l.name = split_part(u.key, ':', 1)
    cross join lateral unnest(l.windows) w (window_ms)
    where u.n > 0
    on conflict (bucket, window_ms, slice) do update set n = keelback.starts.n + excluded.n;

    -- What no window reaches any more.
    delete from keelback.starts s using unnest(buckets, used) u (bucket, n)
    where u.n > 0 and s.bucket = u.bucket and s.slice < floor(extract(epoch from now_at) * 20000 / s.window_ms) - 20;
end $$;

-- The rows of a fair lane in the order in which tenants take turns: one of each after the last one served, then the next of each.
-- Those without a tenant, which lie in the queue's own lane, are one among them, '', who comes before all others; there `mark` keeps the scan
-- from walking over dead rows. Rows that another worker has just taken are passed over.
create function keelback.by_turns(lane smallint, prio smallint, mark bigint, served text, most int) returns setof tid
language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    tenants text[] := '{}';
    last_seen text collate "C" := coalesce(served, '');
    wrapped bool := false;
    found_one text collate "C";
begin
    if most <= 0 then return; end if;
    loop
        found_one := (select r.tenant from keelback.ready r
            where r.queue = lane and r.queue < 0 and r.priority = prio and r.tenant > last_seen order by r.tenant limit 1);
        if found_one is null or wrapped and found_one > coalesce(served, '') then
            exit when wrapped;
            wrapped := true;
            last_seen := '';
            continue when not exists (select from keelback.ready r where r.queue = -lane and r.priority = prio and r.seq > mark);
            found_one := '';
        end if;

        tenants := tenants || found_one;
        exit when cardinality(tenants) = most;
        last_seen := found_one;
    end loop;

    if tenants = '{}' then return; end if; -- a plan for no tenants would divide by their number

    return query
        select head.ctid
        from unnest(tenants) with ordinality u (tenant, turn)
        cross join lateral (
            select h.ctid, row_number() over () as n
            from (
                select t.ctid from (
                    select r.ctid from keelback.ready r
                    where r.queue = lane and r.queue < 0 and r.priority = prio and r.tenant = u.tenant
                    order by r.seq
                    limit (most + cardinality(tenants) - 1) / cardinality(tenants)
                    for update skip locked) t
                union all
                select p.ctid from (
                    select r.ctid from keelback.ready r
                    where u.tenant = '' and r.queue = -lane and r.priority = prio and r.seq > mark
                    order by r.seq
                    limit (most + cardinality(tenants) - 1) / cardinality(tenants)
                    for update skip locked) p) h) head
        order by head.n, u.turn
        limit most;
end $$;
