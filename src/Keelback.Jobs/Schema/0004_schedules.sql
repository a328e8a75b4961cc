-- Schedules are rows that enqueue runs; a tick is a row that exists once, whoever tries.

create table keelback.schedule (
    id         int generated always as identity primary key,
    app        text not null,
    name       text not null,
    program    text,                                 -- whose code defines it; null: added at run time
    definition jsonb not null,                       -- in force: trigger, options, call
    code       jsonb,                                -- as the code has it
    overridden bool not null default false,          -- changed at run time: what the code says waits for a reset
    live       bool not null,                        -- the code makes the call anew at each tick, so only who has the code fires
    kinds      text[] not null,                      -- the jobs that a tick enqueues
    anchor     timestamptz not null,                 -- where its intervals begin
    paused     bool not null default false,
    retired_at timestamptz,                          -- the code has it no more
    next_at    timestamptz,                          -- nominal; only ever forward. Null: paused, retired, or it never fires again
    fire_at    timestamptz,                          -- next_at and its jitter
    last_at    timestamptz,                          -- nominal
    last_run   bigint,
    queued_at  timestamptz,                          -- the tick that waits for the last run to end
    runs       int not null default 0,               -- ticks that enqueued
    unique (app, name)
);

create index schedule_fire on keelback.schedule (app, fire_at) where fire_at is not null;
create index schedule_queued on keelback.schedule (app) where queued_at is not null;

create table keelback.tick (
    schedule   int not null,
    at         timestamptz not null,                 -- nominal
    outcome    smallint not null,                    -- 0 enqueued, 1 queued, 2 too late, 3 coalesced, 4 over the limit, 5 overlapped, 6 by hand, 7 failed
    run_id     bigint,
    decided_at timestamptz not null default keelback.clock(),
    until      timestamptz,                          -- the last of several that shared their fate ...
    count      int default 1,                        -- ... and how many; null: too many to count
    error      text,
    primary key (schedule, at)
);
