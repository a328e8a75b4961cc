-- The same clock with a plan that a session keeps. As a function in SQL it was parsed and planned by each statement that asked it.
create or replace function keelback.clock() returns timestamptz language plpgsql stable as $$
begin
    return clock_timestamp() + coalesce((select by from keelback.clock_offset), '0');
end $$;
