-- What a tick's interval begins with, and the tick that is tried again.
alter table keelback.schedule
    add column covered_at timestamptz,                   -- nominal time of the last tick that enqueued: the next one's interval begins there
    add column failed_at  timestamptz,                   -- the tick whose call was refused, and that is tried again until a later one enqueues
    add column retry_at   timestamptz,                   -- when; fire_at is the earlier of this and the next tick's
    add column tries      int not null default 0;        -- how often it was refused

-- A tick that is queued counted as a run before it was one.
update keelback.schedule s
set covered_at = coalesce((select max(at) from keelback.tick where schedule = s.id and outcome = 0), case when runs > 0 then last_at end),
    runs = runs - (queued_at is not null)::int;
