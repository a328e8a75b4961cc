-- What decides, at the claim, whether a ready run may start now, and where it waits when it may not.

alter table keelback.run
    add column special    bool not null default false, -- the claim looks closer: limits, expiry, revocation by tag, a replacement
    add column tenant     text,                        -- takes turns with other tenants of its queue
    add column limits     text[],                      -- the keys it needs a slot or a start of
    add column expires_at timestamptz;                 -- not started by then: it ends as expired

-- A tenant's rows lie in the lane -queue, where tenants take turns.
alter table keelback.ready add column tenant text collate "C";
create index ready_fair on keelback.ready (queue, priority, tenant, seq) where queue < 0;
alter table keelback.wait add column tenant text;

alter table keelback.queue
    add column paused bool not null default false,
    add column slots  int,                             -- at most so many run at once, over all workers
    add column fair   bool not null default false;     -- some run of it had a tenant: its lane -queue is read too

-- The numbers of a limit, by the name that its keys begin with. What was set at run time wins over the code's, which is kept.
create table keelback.limit_rule (
    app          text not null,
    name         text not null,
    slots        int,
    starts       int[] not null default '{}',          -- at most so many starts ...
    windows      bigint[] not null default '{}',       -- ... in any so many milliseconds
    set_at       timestamptz,                          -- null: as the code has it
    code_slots   int,
    code_starts  int[] not null default '{}',
    code_windows bigint[] not null default '{}',
    primary key (app, name)
);

-- A key that was used. Its row is the lock under which slots and starts are counted.
create table keelback.bucket (
    id  bigint generated always as identity primary key,
    app text not null,
    key text not null,
    unique (app, key)
);

-- Who holds a slot: a claim. One whose claim is gone, however it went, holds none, and its row goes when the key is next used.
create table keelback.slot (
    bucket bigint not null,
    run_id bigint not null,
    token  bigint not null,
    primary key (bucket, run_id, token)
);

create index slot_run on keelback.slot (run_id);

-- Starts per twentieth of a window.
create table keelback.starts (
    bucket    bigint not null,
    window_ms bigint not null,
    slice     bigint not null,
    n         int not null,
    primary key (bucket, window_ms, slice)
);

-- Ready but for a limit: under the first key that refused it, where no claim looks.
create table keelback.parked (
    bucket   bigint not null,
    priority smallint not null,
    seq      bigint not null,
    run_id   bigint not null,
    attempt  smallint not null,
    crashes  smallint not null,
    queue    smallint not null,                        -- the lane it came from
    tenant   text,
    primary key (bucket, priority, seq, run_id)
);

create index parked_run on keelback.parked (run_id);

alter table keelback.slot set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
alter table keelback.starts set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0, fillfactor = 70);
alter table keelback.parked set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- How many more may start under a key, and when the next opens if time alone will do it. A start in slice s counts until slice s + 20 is
-- over: a window of any begin lies within 21 slices, so none ever has more. The key's bucket is locked, or the answer is a guess.
create function keelback.room_of(bucket_id bigint, at timestamptz, out room int, out opens_at timestamptz)
language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    b     keelback.bucket;
    r     record;
    i     int;
    k     bigint;
    had   bigint;
    first bigint;
begin
    room := 2147483647;
    select * into b from keelback.bucket where id = bucket_id;
    if left(b.key, 7) = '#queue:' then
        select q.slots, '{}'::int[] as starts, '{}'::bigint[] as windows into r from keelback.queue q where q.app = b.app and q.name = substr(b.key, 8);
    else
        select l.slots, l.starts, l.windows into r from keelback.limit_rule l where l.app = b.app and l.name = split_part(b.key, ':', 1);
    end if;
    if not found then return; end if; -- nobody says how many: as many as come

    if r.slots is not null then
        select r.slots - count(*) into room from keelback.slot s join keelback.claim c on c.run_id = s.run_id and c.token = s.token
        where s.bucket = b.id;
    end if;

    for i in 1 .. cardinality(r.windows) loop
        k := floor(extract(epoch from at) * 20000 / r.windows[i]);
        select coalesce(sum(n), 0), min(slice) into had, first from keelback.starts
        where bucket = b.id and window_ms = r.windows[i] and slice >= k - 20;
        room := least(room, r.starts[i] - had);
        if had >= r.starts[i] then
            opens_at := greatest(opens_at, to_timestamp((first + 21) * r.windows[i] / 20000.0));
        end if;
    end loop;
end $$;

-- Locks these keys' buckets, in the order of the keys, making those that are missing.
create function keelback.lock_buckets(of_app text, keys text[]) returns bigint[] language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    ids bigint[];
begin
    loop
        insert into keelback.bucket (app, key)
        select of_app, k from unnest(keys) k where not exists (select from keelback.bucket b where b.app = of_app and b.key = k) order by k
        on conflict do nothing;

        -- An own statement, whose snapshot sees what others have made meanwhile; one that is just being forgotten is made again.
        ids := array(select b.id from (
            select id, key from keelback.bucket where app = of_app and key = any(keys) order by key for update) b order by array_position(keys, b.key));
        exit when cardinality(ids) = cardinality(keys);
    end loop;
    return ids;
end $$;

-- How many more may run of a queue that has slots.
create function keelback.queue_room(of_app text, queue_id smallint) returns int language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    name_of text := (select name from keelback.queue where id = queue_id and slots is not null);
begin
    if name_of is null then return 2147483647; end if;
    return greatest(0, (select room from keelback.room_of((keelback.lock_buckets(of_app, array['#queue:' || name_of]))[1], keelback.clock())));
end $$;

-- Decides about rows that a claim has taken: who may start gets a token; who is over a limit is parked; whose time is over ends.
-- Each statement in here has a snapshot of its own, taken under the locks.
create function keelback.admit(
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

-- Moves as many parked runs of each key as it has room for back into ready, before what has not had its turn. A guess: the claim decides.
create function keelback.promote(buckets bigint[], out promoted int, out opens_at timestamptz)
language plpgsql volatile set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    b     bigint;
    o     record;
    moved int;
begin
    promoted := 0;
    foreach b in array buckets loop
        continue when not exists (select from keelback.parked p where p.bucket = b);

        o := keelback.room_of(b, keelback.clock());
        if o.room <= 0 then
            opens_at := least(opens_at, o.opens_at);
            continue;
        end if;

        with gone as (
            delete from keelback.parked
            where ctid = any(array(
                select p.ctid from keelback.parked p where p.bucket = b order by p.priority, p.seq limit o.room for update skip locked))
            returning *
        )
        insert into keelback.ready (queue, priority, seq, run_id, attempt, crashes, tenant) overriding system value
        select queue, priority, run_id + (-9223372036854775808), run_id, attempt, crashes, tenant
        from gone where exists (select from keelback.run r where r.id = gone.run_id and r.state = 0);
        get diagnostics moved = row_count;
        promoted := promoted + moved;
    end loop;
end $$;

-- The keys of which these runs held a slot.
create function keelback.slots_of(runs bigint[]) returns bigint[] language sql volatile as
    $$ select array(select distinct bucket from keelback.slot where run_id = any(runs) order by bucket) $$;

-- Ends those of these runs that nobody has started and whose time is over. The waiting rows first, as everybody locks them.
create function keelback.expire(ids bigint[]) returns bigint[] language plpgsql volatile set enable_seqscan = off set jit = off as $$
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

-- The rows of a fair lane in the order in which tenants take turns: one of each after the last one served, then the next of each.
-- Rows that another worker has just taken are passed over.
create function keelback.by_turns(lane smallint, prio smallint, served text, most int) returns setof tid
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
            continue;
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
            from (select r.ctid from keelback.ready r
                where r.queue = lane and r.queue < 0 and r.priority = prio and r.tenant = u.tenant
                order by r.seq
                limit (most + cardinality(tenants) - 1) / cardinality(tenants)
                for update skip locked) h) head
        order by head.n, u.turn
        limit most;
end $$;

-- Keys that nobody has used for as long as their longest window, and under which nothing waits or runs. Locked first, looked at then.
create function keelback.forget_buckets(most int) returns int language plpgsql volatile as $$
declare
    ids  bigint[];
    gone int;
begin
    ids := array(select b.id from keelback.bucket b
        where not exists (select from keelback.parked p where p.bucket = b.id)
          and not exists (select from keelback.slot s where s.bucket = b.id)
          and not exists (select from keelback.starts s where s.bucket = b.id and (s.slice + 21) * s.window_ms / 20000.0 > extract(epoch from keelback.clock()))
        limit most for update skip locked);

    delete from keelback.bucket b where b.id = any(ids)
        and not exists (select from keelback.parked p where p.bucket = b.id)
        and not exists (select from keelback.slot s where s.bucket = b.id)
        and not exists (select from keelback.starts s where s.bucket = b.id and (s.slice + 21) * s.window_ms / 20000.0 > extract(epoch from keelback.clock()));
    get diagnostics gone = row_count;
    delete from keelback.starts s where s.bucket = any(ids) and not exists (select from keelback.bucket b where b.id = s.bucket);
    return gone;
end $$;

-- Unique keys. Nothing gives one back: whether it is still taken is asked of its run when the next one wants it.
create table keelback.unique_key (
    app           text not null,
    key           text not null,
    run_id        bigint not null,
    until         timestamptz,                         -- taken at least so long, even when the run has ended
    until_started bool not null,                       -- taken until the run's first start; else until its end
    primary key (app, key)
);

-- Takes a key for a run that is about to be written; answers the run that has it. Of two who want one key, the second waits for the first's
-- transaction, and looks then. `on_conflict` 1 cancels the run that has it.
create function keelback.take_unique(of_app text, of_key text, new_run bigint, span interval, by_start bool, on_conflict smallint)
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
    if exists (
        select from keelback.run r where r.id = held.run_id and (held.until > keelback.clock() or r.state = 0 and not (held.until_started and (
            exists (select from keelback.claim c where c.run_id = r.id) or exists (select from keelback.attempt a where a.run_id = r.id)))))
    then
        if on_conflict <> 1 then return held.run_id; end if;

        perform keelback.cancel(array[held.run_id], of_app);
        update keelback.run set error = jsonb_build_object('type', 'Replaced', 'message', 'Run ' || new_run || ' has its unique key now.')
        where id = held.run_id and state = 3 and error is null;
    end if;

    update keelback.unique_key set run_id = new_run, until = keelback.clock() + span, until_started = by_start where app = of_app and key = of_key;
    return new_run;
end $$;
