-- Schedules are rows that enqueue runs; a tick is a row that exists once, whoever tries.

create table keelback.schedule (
    id         int generated always as identity primary key,
    app        text not null,
    name       text not null,
    next_at    timestamptz,                          -- null: paused, or it never fires again
    unique (app, name)
);

create index schedule_next on keelback.schedule (next_at) where next_at is not null;

create table keelback.tick (
    schedule int not null,
    at       timestamptz not null,
    primary key (schedule, at)
);
