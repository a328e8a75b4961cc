-- Graphs as one: whose they are, who enqueued them, by which rule an edge opens, and tags that follow them.

alter table keelback.run
    add column root         bigint,                        -- the run that the whole graph was enqueued as; null for a run without edges
    add column parent       bigint,                        -- the run whose attempt enqueued this one
    add column settles      bool not null default false,   -- its end goes through keelback.settle: an edge by failure, or one that came later
    add column replaced_by  bigint,                        -- the last run of the graph that an attempt put in this one's place
    add column base_attempt smallint not null default 0;   -- attempts before it was last redriven

create index run_root on keelback.run (root) where root is not null;
create index run_parent on keelback.run (parent) where parent is not null;

alter table keelback.edge
    add column rule smallint not null default 0;     -- opens when `up` 0 succeeded, 1 ended without success, 2 ended; 3 `down` ends as `up` did

alter table keelback.wait
    add column attempt smallint not null default 0;  -- spent before it was redriven

create table keelback.tag (
    tag    text not null,
    run_id bigint not null,
    primary key (tag, run_id)
);

create index tag_run on keelback.tag (run_id);

create function keelback.state_name(state smallint) returns text language sql immutable as $$
    select (array['Open', 'Succeeded', 'Failed', 'Cancelled', 'UpstreamFailed', 'Quarantined', 'Expired', 'Skipped'])[state + 1]
$$;

-- Follows the edges of runs that have ended: who waits for none any more becomes ready; whose edge can never open ends too, and so on
-- below. Answers the runs that it ended. A statement of its own per level, so that it sees edges that were committed while it waited
-- for a lock. An edge is flipped once, and the counter falls by what was flipped. Waiting rows are locked before runs, a level's in
-- the order of their ids.
create function keelback.settle(ids bigint[]) returns bigint[] language plpgsql volatile
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
                output = case when over.up_state = 1 and over.mirrored is not null then (select g.output from keelback.run g where g.id = over.mirrored limit 1) end
            from over where r.id = over.run_id and r.state = 0
            returning r.id, r.followed
        )
        select coalesce(array_agg(id), '{}'), coalesce(array_agg(id) filter (where followed), '{}') into ended, level from u;
        every := every || ended;
    end loop;
    return every;
end $$;

-- Ends these runs where they are open and the app's, whatever took the place of one, and what waits for them. Answers the runs that it ended.
-- Claims first, as in a completion, then waiting rows, then runs: everybody locks them so. A row in ready or timer falls away when its turn comes.
create function keelback.cancel(ids bigint[], of_app text) returns bigint[] language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    mine     bigint[];
    ended    bigint[];
    followed bigint[];
begin
    with recursive m (id, replaced) as (
        select r.id, r.replaced_by is not null from unnest(ids) i (id)
        cross join lateral (select id, queue, replaced_by from keelback.run where id = i.id and state = 0 limit 1) r
        where r.queue in (select q.id from keelback.queue q where q.app = of_app)
        union
        select r.id, r.replaced_by is not null from m join keelback.run r on r.parent = m.id and r.root is not null and r.state = 0
        where m.replaced
    )
    select array_agg(distinct id order by id) into mine from m;
    if mine is null then return '{}'; end if;

    perform from keelback.claim where run_id = any(mine) order by run_id for update;
    delete from keelback.claim where run_id = any(mine);
    perform from keelback.wait where run_id = any(mine) order by run_id for update;

    with u as (
        update keelback.run r set state = 3, finished_at = keelback.clock() where r.id = any(mine) and r.state = 0
        returning r.id, r.followed
    ), w as (
        delete from keelback.wait using u where run_id = u.id
    ), p as (
        delete from keelback.parked using u where run_id = u.id
    )
    select coalesce(array_agg(u.id), '{}'), coalesce(array_agg(u.id) filter (where u.followed), '{}') into ended, followed from u;
    return ended || keelback.settle(followed);
end $$;

-- Whether an edge of this rule opens when its upper run has ended so.
create function keelback.opens(rule smallint, state smallint) returns bool language sql immutable as $$
    select case rule when 0 then state = 1 when 1 then state between 2 and 6 else true end
$$;

-- Opens ended runs again, and what ended below them without having run. Those of a graph, or one: then also what took its place. A run that
-- succeeded is never opened. What waits for one of them waits again; an edge that has done its work otherwise stays as it is.
-- Answers the runs that are open again. Rows are locked in the order of their ids, the runs above included: none ends unseen meanwhile.
create function keelback.redrive(ids bigint[], of_app text, whole bool) returns bigint[] language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    chosen bigint[];
    more   bigint[];
    above  bigint[];
begin
    select array_agg(r.id) into chosen from keelback.run r
    where r.id = any(ids) and r.queue in (select q.id from keelback.queue q where q.app = of_app);
    if chosen is null then return '{}'; end if;

    if whole then
        -- What said by itself that there is nothing to do is left alone.
        select array_agg(r.id) into chosen from keelback.run r
        where (r.root in (select coalesce(x.root, x.id) from keelback.run x where x.id = any(chosen)) or r.id = any(chosen))
          and r.state not in (0, 1) and (r.state <> 7 or r.attempt is null);
    else
        select array_agg(r.id) into chosen from keelback.run r where r.id = any(chosen) and r.state not in (0, 1);
    end if;
    if chosen is null then return '{}'; end if;

    more := chosen;
    while cardinality(more) > 0 loop
        select coalesce(array_agg(distinct x.id), '{}') into more
        from (
            select d.id from unnest(more) m (id)
            cross join lateral (select e.* from keelback.edge e where e.up = m.id) e
            cross join lateral (select r.* from keelback.run r where r.id = e.down limit 1) d
            where d.state in (4, 7) and d.attempt is null and d.base_attempt = 0
               or e.rule = 3 and d.replaced_by = m.id and d.state not in (0, 1)
            union all
            select c.id from unnest(more) m (id)
            cross join lateral (select r.* from keelback.run r where r.id = m.id and r.replaced_by is not null limit 1) x
            join keelback.run c on c.parent = x.id and c.root = x.root
            where c.state not in (0, 1) and (c.state <> 7 or c.attempt is null)
        ) x where x.id <> all(chosen);
        chosen := chosen || more;
    end loop;

    select coalesce(array_agg(distinct x.id), '{}') into above
    from (
        select u.id from (select distinct r.root from keelback.run r where r.id = any(chosen) and r.root is not null) g join keelback.run u on u.root = g.root
        union all
        select unnest(r.ups) from keelback.run r where r.id = any(chosen)
    ) x where x.id <> all(chosen);

    perform from keelback.run r where r.id = any(chosen || above) order by r.id for update;
    select coalesce(array_agg(r.id), '{}') into chosen from keelback.run r where r.id = any(chosen) and r.state not in (0, 1);

    -- What never ran stays ended while an edge to it is shut by a run that is not opened.
    loop
        select coalesce(array_agg(distinct d.id), '{}') into more
        from unnest(above || chosen) u (id)
        cross join lateral (select e.* from keelback.edge e where e.up = u.id and e.down = any(chosen)) e
        cross join lateral (select r.* from keelback.run r where r.id = e.down limit 1) d
        cross join lateral (select r.state from keelback.run r where r.id = e.up limit 1) x
        where d.attempt is null and d.base_attempt = 0
          and x.state <> 0 and not keelback.opens(e.rule, x.state) and u.id <> all(chosen);
        exit when more = '{}';
        above := above || more;
        chosen := array(select c from unnest(chosen) c where c <> all(more));
    end loop;
    if chosen = '{}' then return chosen; end if;

    -- A completion that waits for our locks has an older snapshot: it must look again.
    update keelback.run r set settles = true, followed = true
    where r.id = any(above) and r.state = 0 and exists (select from keelback.edge e where e.up = r.id and e.down = any(chosen));

    -- One that was opened by itself before has flipped its edge already, and is waited for again.
    update keelback.edge e set done = false from keelback.run u
    where e.up = any(chosen || above) and e.down = any(chosen) and e.done and u.id = e.up and (u.state = 0 or u.id = any(chosen));

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
        select d.id, (
            select count(*)::int from unnest(above || chosen) u (id)
            cross join lateral (select from keelback.edge e where e.up = u.id and e.down = d.id and not e.done) e) as pending
        from unnest(chosen) d (id)
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
    select case when tenant is null then queue else -queue end, priority, id, base_attempt, tenant from opened where pending = 0;
    return chosen;
end $$;
