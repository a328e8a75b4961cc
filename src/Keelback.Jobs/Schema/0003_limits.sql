-- What decides, at the claim, whether a ready run may start now, and where it waits when it may not.

alter table keelback.run
    add column special    bool not null default false, -- the claim looks closer: limits, expiry, revocation by tag, a replacement
    add column tenant     text,                        -- takes turns with other tenants of its queue
    add column limits     text[],                      -- the keys it needs a slot or a token of
    add column expires_at timestamptz;                 -- not started by then: it ends as expired

-- A tenant's rows lie in the lane -queue, where tenants take turns.
alter table keelback.ready add column tenant text;
create index ready_fair on keelback.ready (queue, priority, tenant, seq) where queue < 0;

alter table keelback.queue
    add column paused bool not null default false,
    add column slots  int;                             -- at most so many run at once, over all workers
