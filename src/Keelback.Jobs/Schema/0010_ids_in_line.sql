-- The same number, by what is immutable as the function says it is: the time of day in a zone of its own. Now the planner puts it in line,
-- where it was parsed and planned by each statement that made an id (0.1 ms of an enqueueing).
create or replace function keelback.first_run_id(at timestamptz) returns bigint language sql immutable as
    $$ select ((extract(epoch from at at time zone 'UTC') * 1000)::bigint - 1577836800000) << 22 $$;
