-- The durable engine. `run` is the body: inserted once, updated once when it ends. Where an open run stands is told by
-- the narrow table that holds its row: wait (edges open), timer (not yet due), ready (may be claimed), claim (running).

-- Milliseconds since 2020 first, which fit until 2089, so that age is a range of ids; the sequence's low bits make ids of one millisecond differ.
create sequence keelback.run_seq;
create sequence keelback.token_seq;

create function keelback.first_run_id(at timestamptz) returns bigint language sql immutable as
    $$ select ((extract(epoch from at) * 1000)::bigint - 1577836800000) << 22 $$;

create function keelback.run_enqueued_at(id bigint) returns timestamptz language sql immutable as
    $$ select to_timestamp(((id >> 22) + 1577836800000) / 1000.0) $$;

create table keelback.queue (
    id   smallint generated always as identity primary key,
    app  text not null,                      -- apps on one database never see each other's queues
    name text not null,
    unique (app, name)
);

create table keelback.run (
    id           bigint not null,
    kind         text not null,
    queue        smallint not null,
    priority     smallint not null,
    state        smallint not null default 0, -- 0 open, 1 succeeded, 2 failed, 3 cancelled, 4 upstream failed, 5 quarantined, 6 expired, 7 skipped
    followed     bool not null default false, -- has edges to others
    attempt      smallint,                    -- of the last attempt; written at the end
    max_attempts smallint not null,
    timeout_ms   int,
    input        jsonb not null,
    ups          bigint[],                    -- runs whose outputs are put into the input at claim ...
    params       text[],                      -- ... under these names; '[]' an element of an array, '!' its failure, '?' how it ended, '' nothing
    output       jsonb,
    error        jsonb,
    trace        text,                        -- W3C traceparent of the enqueuer
    due_at       timestamptz,
    started_at   timestamptz,
    finished_at  timestamptz,
    primary key (id)
) partition by range (id);

-- A failed, crashed or timed-out attempt. A success is told by its run.
create table keelback.attempt (
    run_id     bigint not null,
    n          smallint not null,
    worker_id  int not null,
    started_at timestamptz not null,
    ended_at   timestamptz not null,
    outcome    smallint not null,             -- 0 failed, 1 crashed, 2 timed out
    error      jsonb,
    retry_at   timestamptz,
    primary key (run_id, n)
) partition by range (run_id);

create table keelback.edge (
    up   bigint not null,
    down bigint not null,
    done bool not null default false,
    primary key (up, down)
) partition by range (up);

create table keelback.ready (
    queue    smallint not null,
    priority smallint not null,
    seq      bigint generated always as identity,
    run_id   bigint not null,
    attempt  smallint not null default 0,     -- attempts spent so far ...
    crashes  smallint not null default 0,     -- ... of which the worker died
    primary key (queue, priority, seq)
);

create table keelback.timer (
    at      timestamptz not null,
    run_id  bigint not null,
    what    smallint not null,                -- 0 becomes ready, 1 the attempt's time is up
    attempt smallint not null default 0,
    crashes smallint not null default 0,
    primary key (at, run_id, what, attempt)
);

-- A claim is a start: a worker takes no more than it has free slots for.
create table keelback.claim (
    run_id    bigint not null primary key,
    token     bigint not null default nextval('keelback.token_seq'), -- in every write of the attempt; an old one changes no row
    worker_id int not null,
    epoch     bigint not null,
    attempt   smallint not null,
    crashes   smallint not null,
    at        timestamptz not null
);

create table keelback.wait (
    run_id   bigint not null primary key,
    pending  int not null,                    -- upstream runs that have not succeeded
    queue    smallint not null,
    priority smallint not null,
    due_at   timestamptz
);

-- Idempotent enqueueing: EnqueueOptions.Id.
create table keelback.uniq (
    id     uuid not null primary key,
    run_id bigint not null
);

-- Hot tables turn over entirely: clean up early, and leave room on a page for the one update of a body.
alter table keelback.ready set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
alter table keelback.claim set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0, fillfactor = 70);
alter table keelback.timer set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
alter table keelback.wait set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0, fillfactor = 50);

-- Makes the weekly partitions that are missing, from last week to `ahead` weeks on. Weeks begin on Thursday, as 1970 did.
create function keelback.make_run_partitions(ahead int) returns int language plpgsql as $$
declare
    week  constant bigint := 7 * 86400;
    now_s constant bigint := extract(epoch from keelback.clock())::bigint;
    first bigint;
    lower bigint;
    upper bigint;
    made  int := 0;
begin
    for i in -1..ahead loop
        first := (now_s / week + i) * week;
        lower := keelback.first_run_id(to_timestamp(first));
        upper := keelback.first_run_id(to_timestamp(first + week));
        if to_regclass(format('keelback.run_%s', first / week)) is null then
            execute format('create table keelback.run_%s partition of keelback.run for values from (%s) to (%s) with (fillfactor = 85)', first / week, lower, upper);
            execute format('create table keelback.attempt_%s partition of keelback.attempt for values from (%s) to (%s)', first / week, lower, upper);
            execute format('create table keelback.edge_%s partition of keelback.edge for values from (%s) to (%s) with (fillfactor = 70)', first / week, lower, upper);
            made := made + 1;
        end if;
    end loop;
    return made;
end $$;

select keelback.make_run_partitions(5);

-- The input of a run whose arguments are other runs' results; null when they are over 64 MB together. It must not raise: a claim
-- that fails would fail for every worker, and with it the runs that are claimed beside this one.
create function keelback.bound_input(input jsonb, ups bigint[], params text[]) returns jsonb language plpgsql stable as $$
declare
    whole jsonb;
begin
    select input || coalesce(jsonb_object_agg(name, value), '{}') into whole
    from (
        select rtrim(b.param, '[]!?') as name,
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
    return case when pg_column_size(whole) <= 67108864 then whole end;
exception when program_limit_exceeded then
    return null; -- a jsonb ends at 256 MB
end $$;
