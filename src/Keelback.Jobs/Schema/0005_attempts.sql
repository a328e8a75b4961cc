-- What a running attempt says and needs beside its result, and what is asked of those who run it.

alter table keelback.run
    add column result_ms bigint;                      -- how long the result is kept after the end; 0: not at all; null: as long as the run

-- The last progress that an attempt told; fenced by its token.
create table keelback.progress (
    run_id bigint not null primary key,
    token  bigint not null,
    at     timestamptz not null,
    data   jsonb not null
);

-- What may not run, now and later: a tag or a kind.
create table keelback.revocation (
    app    text not null,
    what   smallint not null,                        -- 1 tag, 2 kind
    value  text not null,
    at     timestamptz not null,
    until  timestamptz,                              -- null: for good
    reason text,
    primary key (app, what, value)
);

-- What was last asked of a worker, or of all of an app. Of the two the later one counts; a stop is for those that ran when it was asked.
create table keelback.worker_order (
    app       text not null,
    worker_id int not null,                          -- 0: all
    what      smallint not null,                     -- 0 pause (1) or resume (0), 1 concurrency (null: as configured), 2 stop (1 when empty, 2 at once)
    value     int,
    at        timestamptz not null,
    primary key (app, worker_id, what)
);

-- What runs logged. By the run's week, so that it goes with the run.
create table keelback.log (
    run_id   bigint not null,
    attempt  smallint not null,
    n        int not null,
    at       timestamptz not null,
    level    smallint not null,                      -- Microsoft.Extensions.Logging.LogLevel
    category text not null,
    message  text not null,
    primary key (run_id, attempt, n)
) partition by range (run_id);

create or replace function keelback.make_run_partitions(ahead int) returns int language plpgsql as $$
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
        if to_regclass(format('keelback.log_%s', first / week)) is null then
            execute format('create table keelback.log_%s partition of keelback.log for values from (%s) to (%s)', first / week, lower, upper);
        end if;
    end loop;
    return made;
end $$;

select keelback.make_run_partitions(5);

-- Large payloads and results lie outside of their rows (TOAST); lz4 packs them several times faster than pglz, where the server was built with it.
do $$
declare
    part regclass;
begin
    for part in select 'keelback.run'::regclass union all select inhrelid::regclass from pg_inherits where inhparent = 'keelback.run'::regclass loop
        execute format('alter table %s alter column input set compression lz4, alter column output set compression lz4', part);
    end loop;
exception when feature_not_supported then
    null;
end $$;
