-- What a running attempt says and needs beside its result.

alter table keelback.run
    add column version   smallint not null default 1, -- of the kind whose payload this is
    add column result_ms bigint;                      -- how long the result is kept after the end; 0: not at all; null: as long as the run

-- The last progress that an attempt told; fenced by its token.
create table keelback.progress (
    run_id bigint not null primary key,
    token  bigint not null,
    at     timestamptz not null,
    data   jsonb not null
);

-- What may not run, now and later: a run (by id), a tag or a kind.
create table keelback.revocation (
    app    text not null,
    what   smallint not null,                        -- 0 run, 1 tag, 2 kind
    value  text not null,
    at     timestamptz not null,
    until  timestamptz,                              -- null: for good
    reason text,
    primary key (app, what, value)
);
