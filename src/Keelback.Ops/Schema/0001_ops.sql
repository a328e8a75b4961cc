-- What people look at, apart from what the engine works on: an agent copies runs here in batches, and nothing on the path of a job
-- writes or reads these tables.

-- One row per run that the agent has seen. `state` is the run's own (0 open); where an open run stands is asked of the engine, row by row.
create table keelback.run_search (
    id          bigint not null primary key,
    kind        text not null,
    queue       smallint not null,
    state       smallint not null,
    finished_at timestamptz,
    tags        text[]
);

create index run_search_kind on keelback.run_search (kind, id);
create index run_search_state on keelback.run_search (state, id);
create index run_search_open on keelback.run_search (id) where state = 0;
create index run_search_unhappy on keelback.run_search (id) where state > 1;
create index run_search_tags on keelback.run_search using gin (tags) where tags is not null;

-- Apart from run_search, so that a run's end does not write the GIN index again.
create table keelback.run_words (
    id    bigint not null primary key,
    words tsvector not null
);

create index run_words_words on keelback.run_words using gin (words);

-- The words of a text as they stand, in lower case; no dictionary, no stemming. The first 4,000 characters count.
create function keelback.words_of(text text) returns tsvector language sql immutable parallel safe as $$
    select array_to_tsvector(array(
        select distinct left(w, 100) from regexp_split_to_table(lower(left(text, 4000)), '[^[:alnum:]]+') w where w <> ''))
$$;

-- How far the agent of an app is. Up to `fast` it has looked once; up to `safe` nothing can come any more: whatever was writing when it
-- looked (before `tick_xmax`) has ended, and the ids up to `tick` were looked at again.
create table keelback.search_cursor (
    app       text not null primary key,
    fast      bigint not null,
    safe      bigint not null,
    tick      bigint,
    tick_xmax xid8,
    look      bigint not null,               -- open runs up to here were asked in this round whether they have ended
    look_back bigint not null,               -- the same, of ended runs that may have been opened again
    at        timestamptz not null           -- everything enqueued by then, but for transactions still open, is in
);

-- Per minute, per hour and in all (for counters that never fall), by the database's clock. Counted when the agent meets a run's row and when it meets its end, in the transaction that notes it.
create table keelback.rollup (
    step      smallint not null,             -- 0 a minute, 1 an hour, 2 all time
    at        timestamptz not null,
    queue     smallint not null,
    kind      text not null,
    enqueued  bigint not null,
    succeeded bigint not null,
    failed    bigint not null,                  -- quarantined too
    cancelled bigint not null,
    other     bigint not null,                  -- upstream failed, expired, skipped
    retries   bigint not null,                  -- attempts beyond the first, of runs that ended
    took_ms   bigint not null,               -- the sum of ...
    took      bigint[] not null,                -- ... runs by their last attempt's duration: element n counts those under 2^(n-1) ms, the last all others
    waited_ms bigint not null,               -- the sum of ...
    waited    bigint[] not null,                -- ... runs that needed one attempt, by the wait before it, the same way
    primary key (step, at, queue, kind)
);

create function keelback.add_counts(a bigint[], b bigint[]) returns bigint[] language sql immutable as
    $$ select array_agg(coalesce(x, 0) + coalesce(y, 0) order by n) from unnest(a, b) with ordinality t (x, y, n) $$;

-- The latest look at each queue, so that no page has to count.
create table keelback.queue_look (
    queue     smallint not null primary key,
    open      bigint not null default 0,     -- runs that have not ended, as far as the agent is
    ready     int not null default 0,        -- up to 1,001, which means "more than 1,000"
    oldest_at timestamptz,                   -- since when the oldest ready run may start
    running   int not null default 0,
    at        timestamptz
);

-- What one node at a time does, every so often.
create table keelback.turn (
    name    text not null primary key,
    next_at timestamptz not null
);

create table keelback.warning (
    app     text not null,
    key     text not null,
    text    text not null,
    since   timestamptz not null,
    seen_at timestamptz not null,
    primary key (app, key)
);

-- Who did what; outlives the runs it speaks of.
create table keelback.audit (
    id      bigint generated always as identity primary key,
    at      timestamptz not null,
    app     text not null,
    who     text not null,
    via     text not null,                   -- page, api, cli
    action  text not null,
    target  text not null,
    before  jsonb,
    after   jsonb,
    outcome text not null                    -- 'begun' until it is known; stays so if the process died meanwhile
);

create index audit_target on keelback.audit (app, target, id);

-- An action over all that a search finds, done in pages by any node.
create table keelback.bulk (
    id       bigint generated always as identity primary key,
    app      text not null,
    who      text not null,
    action   text not null,
    filter   jsonb not null,
    at       timestamptz not null,
    upto     bigint not null,                -- runs with ids below it, so that it ends
    done     int not null default 0,
    refused  int not null default 0,         -- that were in no state for it
    ended_at timestamptz,
    outcome  text
);

create index bulk_open on keelback.bulk (id) where ended_at is null;
