-- Who may do what only one may do at a time: a stream's partition, an actor's shard. Rows stay when they are given up,
-- since the epoch must never go back: it is what fences a holder that was away too long.
create table keelback.lease (
    app          text not null,
    name         text not null,
    worker_id    int not null,
    worker_epoch bigint not null,
    epoch        bigint not null default 1,  -- rises when the holder changes
    until        timestamptz not null,
    primary key (app, name)
);

create index lease_worker on keelback.lease (worker_id);
