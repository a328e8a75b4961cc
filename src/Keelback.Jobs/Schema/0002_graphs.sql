-- Graphs as one: whose they are, who enqueued them, by which rule an edge opens, and tags that follow them.

alter table keelback.run
    add column root   bigint,                        -- the run that the whole graph was enqueued as; null for a run without edges
    add column parent bigint;                        -- the run whose attempt enqueued this one

create index run_root on keelback.run (root) where root is not null;
create index run_parent on keelback.run (parent) where parent is not null;

alter table keelback.edge
    add column rule smallint not null default 0;     -- opens when `up` 0 succeeded, 1 ended without success, 2 ended

create table keelback.tag (
    tag    text not null,
    run_id bigint not null,
    primary key (tag, run_id)
);

create index tag_run on keelback.tag (run_id);
