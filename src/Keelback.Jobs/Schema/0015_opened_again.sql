-- Opening a graph again costs as much as it has edges, and what has not started yet waits again for what was opened; a cancellation finds
-- what took a run's place while it waited for it, and nothing else.

-- The edges from some runs to others. The upper ones' by key, and the lower ones from a hash: a look for each pair would be the square of them.
create function keelback.edges_among(ups bigint[], downs bigint[]) returns setof keelback.edge language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = on set enable_mergejoin = off set jit = off set plan_cache_mode = force_custom_plan as $$
begin
    return query
        with d as materialized (select distinct unnest(downs) as id)
        select e.* from (select distinct unnest(ups) as id) u
        cross join lateral (select * from keelback.edge where up = u.id offset 0) e
        join d on d.id = e.down;
end $$;

-- Makes open runs that wait or may start, and that nobody has started, wait for these runs above them as well. One whose row somebody else
-- holds is looked at again, for less than a deadlock takes to be found: who holds it may wait for our runs. Then it counts as started.
create function keelback.wait_again(ups bigint[], downs bigint[]) returns void language plpgsql volatile
set enable_seqscan = on set enable_hashjoin = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_custom_plan as $$
declare
    mine bigint[];
begin
    for tries in 1 .. 50 loop
        downs := array(
            select r.id from unnest(downs) d (id)
            cross join lateral (select id, state, started_at, base_attempt from keelback.run where id = d.id limit 1) r
            where r.state = 0 and r.started_at is null
              and not exists (select from keelback.claim c where c.run_id = r.id)
              and not exists (select from keelback.attempt a where a.run_id = r.id and a.n > r.base_attempt));
        if downs = '{}' then return; end if;

        -- There is no index for this seldom case.
        with t as (
            delete from keelback.timer where ctid = any(array(select ctid from keelback.timer where run_id = any(downs) and what = 0 for update skip locked))
            returning run_id, attempt, at
        ), p as (
            delete from keelback.parked where ctid = any(array(select ctid from keelback.parked where run_id = any(downs) for update skip locked))
            returning run_id, attempt
        ), q as (
            delete from keelback.ready where ctid = any(array(select ctid from keelback.ready where run_id = any(downs) for update skip locked))
            returning run_id, attempt
        )
        insert into keelback.wait (run_id, pending, queue, priority, tenant, attempt, due_at)
        select r.id, 0, r.queue, r.priority, r.tenant, x.attempt, x.at
        from (select * from t union all select *, null from p union all select *, null from q) x
        cross join lateral (select id, queue, priority, tenant from keelback.run where id = x.run_id limit 1) r;

        mine := array(select w.run_id from keelback.wait w where w.run_id = any(downs) for update skip locked);
        exit when cardinality(mine) = cardinality(downs);
        perform pg_sleep(0.01);
    end loop;

    with e as (
        update keelback.edge e set done = false from keelback.edges_among(ups, mine) x
        where e.up = x.up and e.down = x.down and x.done and x.rule in (1, 2)
        returning e.down
    ), n as (
        select down, count(*)::int as n from e group by down
    )
    update keelback.wait w set pending = w.pending + n.n from n where w.run_id = n.down;
end $$;

-- Opens ended runs again, and what ended below them without having run. Those of a graph, or one: then also what took its place. A run that
-- succeeded is never opened. What waits for one of them waits again, and so does what was to follow its end and has not started; an edge that
-- has done its work otherwise stays as it is.
-- Answers the runs that are open again. Rows are locked in the order of their ids, the runs above included: none ends unseen meanwhile.
create or replace function keelback.open_again(ids bigint[], of_app text, whole bool) returns bigint[] language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_custom_plan as $$
declare
    chosen bigint[];
    roots  bigint[];
    above  bigint[];
    below  bigint[];
    shut   bigint[];
begin
    select array_agg(r.id), array_agg(distinct coalesce(r.root, r.id)) into chosen, roots from keelback.run r
    where r.id = any(ids) and r.queue in (select q.id from keelback.queue q where q.app = of_app);
    if chosen is null then return '{}'; end if;

    -- What said by itself that there is nothing to do is left alone.
    if whole then
        chosen := array(
            select r.id from keelback.run r where r.root = any(roots) and r.state not in (0, 1) and (r.state <> 7 or r.attempt is null)
            union
            select r.id from keelback.run r where r.id = any(chosen) and r.state not in (0, 1) and (r.state <> 7 or r.attempt is null));
    else
        chosen := array(select r.id from keelback.run r where r.id = any(chosen) and r.state not in (0, 1));
    end if;
    if chosen = '{}' then return chosen; end if;

    with recursive c (id) as (
        select unnest(chosen)
        union
        select x.id from c
        cross join lateral (
            select d.id from (select * from keelback.edge where up = c.id offset 0) e
            cross join lateral (select r.* from keelback.run r where r.id = e.down limit 1) d
            where d.state in (4, 7) and d.attempt is null and d.base_attempt = 0
               or e.rule = 3 and d.replaced_by = c.id and d.state not in (0, 1)
            union all
            select k.id from (select r.* from keelback.run r where r.id = c.id and r.replaced_by is not null limit 1) x
            join keelback.run k on k.parent = x.id and k.root = x.root
            where k.state not in (0, 1) and (k.state <> 7 or k.attempt is null)
        ) x
    )
    select array_agg(c.id) into chosen from c;

    roots := array(select distinct r.root from keelback.run r where r.id = any(chosen) and r.root is not null);
    above := array(select e.up from keelback.edges_among(
        array(select r.id from keelback.run r where r.root = any(roots) union select unnest(r.ups) from keelback.run r where r.id = any(chosen)), chosen) e
        except select unnest(chosen));
    below := array(
        select distinct d.id from unnest(chosen) c (id)
        cross join lateral (select * from keelback.edge where up = c.id offset 0) e
        cross join lateral (select r.* from keelback.run r where r.id = e.down limit 1) d
        where e.rule in (1, 2) and e.done and d.state = 0 and d.started_at is null);

    perform from keelback.run r where r.id = any(chosen || above || below) order by r.id for update;
    above := above || chosen;
    chosen := array(select r.id from keelback.run r where r.id = any(chosen) and r.state not in (0, 1));
    above := array(select unnest(above) except select unnest(chosen));

    -- What never ran stays ended while an edge to it is shut by a run that is not opened.
    with recursive s (id) as (
        select e.down from keelback.edges_among(above, chosen) e
        cross join lateral (select r.* from keelback.run r where r.id = e.down limit 1) d
        cross join lateral (select r.state from keelback.run r where r.id = e.up limit 1) x
        where d.attempt is null and d.base_attempt = 0 and x.state <> 0 and not keelback.opens(e.rule, x.state)
        union
        select e.down from s
        cross join lateral (select * from keelback.edge where up = s.id offset 0) e
        cross join lateral (select r.* from keelback.run r where r.id = e.down limit 1) d
        cross join lateral (select r.state from keelback.run r where r.id = s.id limit 1) x
        where d.attempt is null and d.base_attempt = 0 and d.state not in (0, 1) and not keelback.opens(e.rule, x.state)
    )
    select array_agg(s.id) into shut from s;
    chosen := array(select unnest(chosen) except select unnest(shut) order by 1);
    if chosen = '{}' then return chosen; end if;

    -- A completion that waits for our locks has an older snapshot: it must look again.
    update keelback.run r set settles = true, followed = true where r.id = any(above) and r.state = 0;

    -- One that was opened by itself before has flipped its edge already, and is waited for again.
    update keelback.edge e set done = false
    from keelback.edges_among(array(select r.id from keelback.run r where r.id = any(above) and r.state = 0) || chosen, chosen) x
    where e.up = x.up and e.down = x.down and x.done;

    if below <> '{}' then perform keelback.wait_again(chosen, array(select distinct e.down from keelback.edges_among(chosen, below) e where e.rule in (1, 2) and e.done)); end if;

    -- A run that was cancelled or expired may have left its row in a queue. There is no index for this seldom case.
    if exists (select from keelback.run r where r.id = any(chosen) and r.state in (3, 6)) then
        perform set_config('enable_seqscan', 'on', true);
        delete from keelback.ready where run_id = any(chosen);
        delete from keelback.parked where run_id = any(chosen);
        delete from keelback.timer where run_id = any(chosen);
        perform set_config('enable_seqscan', 'off', true);
    end if;
    delete from keelback.claim where run_id = any(chosen);

    with pending as (
        select x.id, sum(x.n)::int as pending
        from (select unnest(chosen) as id, 0 as n union all select e.down, 1 from keelback.edges_among(above || chosen, chosen) e where not e.done) x
        group by x.id
    ), opened as (
        update keelback.run r
        set state = 0, output = null, error = null, attempt = null, started_at = null, finished_at = null, expires_at = null, due_at = null,
            max_attempts = least(32767, spent.n + r.max_attempts - r.base_attempt), base_attempt = spent.n
        from pending p
        cross join lateral (
            select greatest(x.attempt, x.base_attempt, (select max(a.n) from keelback.attempt a where a.run_id = x.id)) as n
            from keelback.run x where x.id = p.id limit 1) spent
        where r.id = p.id
        returning r.id, r.queue, r.priority, r.tenant, r.base_attempt, p.pending
    ), waits as (
        insert into keelback.wait (run_id, pending, queue, priority, tenant, attempt)
        select id, pending, queue, priority, tenant, base_attempt from opened where pending > 0
    )
    insert into keelback.ready (queue, priority, run_id, attempt, tenant)
    select case when tenant is null then queue else -queue end, priority, id, base_attempt, tenant from opened where pending = 0 order by id;
    return chosen;
end $$;

-- As before, but that what takes a run's place while we wait for it is ended too, and what its attempt merely enqueued is not. Waiting and
-- parked rows go in statements of their own, which see what a redrive has written meanwhile.
create or replace function keelback.cancel(ids bigint[], of_app text) returns bigint[] language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    mine     bigint[];
    seen     bigint[] := '{}';
    ended    bigint[];
    followed bigint[];
    replaced bigint[];
begin
    loop
        with recursive m (id, root, replaced) as (
            select r.id, r.root, r.replaced_by is not null from unnest(ids) i (id)
            cross join lateral (select id, root, queue, replaced_by from keelback.run where id = i.id and state = 0 limit 1) r
            where r.queue in (select q.id from keelback.queue q where q.app = of_app)
            union
            select r.id, r.root, r.replaced_by is not null from m join keelback.run r on r.parent = m.id and r.root = m.root and r.state = 0
            where m.replaced
        )
        select coalesce(array_agg(distinct id order by id), '{}') into mine from m;
        exit when mine = seen;

        -- Who replaces a run has taken its claim.
        seen := mine;
        perform from keelback.claim where run_id = any(mine) order by run_id for update;
    end loop;
    if mine = '{}' then return mine; end if;

    delete from keelback.claim where run_id = any(mine);
    perform from keelback.wait where run_id = any(mine) order by run_id for update;

    with u as (
        update keelback.run r set state = 3, finished_at = keelback.clock() where r.id = any(mine) and r.state = 0
        returning r.id, r.followed, r.replaced_by
    )
    select coalesce(array_agg(u.id), '{}'), coalesce(array_agg(u.id) filter (where u.followed), '{}'), array_agg(u.id) filter (where u.replaced_by is not null)
    into ended, followed, replaced from u;
    delete from keelback.wait where run_id = any(ended);
    delete from keelback.parked where run_id = any(ended);

    -- One that was claimed and replaced since we looked.
    ids := array(
        select k.id from unnest(replaced) i (id)
        cross join lateral (select id, root from keelback.run where id = i.id limit 1) r
        join keelback.run k on k.parent = r.id and k.root = r.root and k.state = 0);
    if ids <> '{}' then ended := ended || keelback.cancel(ids, of_app); end if;

    return ended || keelback.settle(followed);
end $$;

-- As before, but that a run within a replacement goes with what feeds it: there the root is the run that was replaced first.
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

        perform keelback.cancel(array(
            select held.run_id
            union
            select r.id from keelback.run r where r.root = held.run_id and r.state = 0
            union
            select r.id from keelback.run h
            join keelback.run p on p.id = h.parent and p.replaced_by = h.id
            join keelback.run r on r.parent = h.parent and r.root = h.root and r.state = 0
            where h.id = held.run_id), of_app);
        update keelback.run set error = jsonb_build_object('type', 'Replaced', 'message', 'Run ' || new_run || ' has its unique key now.')
        where id = held.run_id and state = 3 and error is null;
    end if;

    update keelback.unique_key set run_id = new_run, until = keelback.clock() + span, until_started = by_start where app = of_app and key = of_key;
    return new_run;
end $$;

-- As before, but that a run gets a jsonb false while one whose end it takes is open again: the worker puts it off.
create or replace function keelback.bound_input(input jsonb, ups bigint[], params text[]) returns jsonb language plpgsql stable as $$
declare
    whole   jsonb;
    found   bigint;
    is_open bool;
begin
    select input || coalesce(jsonb_object_agg(name, value), '{}'), coalesce(sum(n), 0), coalesce(bool_or(opened), false) into whole, found, is_open
    from (
        select rtrim(b.param, '[]!?') as name, count(*) as n, bool_or(r.state = 0) as opened,
               case when bool_or(b.param like '%[]') then jsonb_agg(v.value order by b.ord) else jsonb_agg(v.value) -> 0 end as value
        from unnest(ups, params) with ordinality b (up, param, ord)
        cross join lateral (select id, kind, state, output, error from keelback.run where id = b.up limit 1) r
        cross join lateral (select case
            when b.param like '%!' then jsonb_build_object('run', r.id, 'kind', r.kind, 'state', keelback.state_name(r.state), 'error', r.error)
            when b.param like '%?' or b.param like '%?[]' then
                jsonb_strip_nulls(jsonb_build_object('run', r.id, 'kind', r.kind, 'state', keelback.state_name(r.state), 'error', r.error))
                || case when r.output is null then '{}' else jsonb_build_object('value', r.output) end
            else r.output end as value) v
        where b.param <> ''
        group by 1
    ) arguments;
    if found < cardinality(params) - cardinality(array_positions(params, '')) then return 'null'; end if;
    if is_open then return 'false'; end if;
    return case when pg_column_size(whole) <= 67108864 then whole end;
exception when program_limit_exceeded then
    return null; -- a jsonb ends at 256 MB
end $$;
