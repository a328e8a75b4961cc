-- The turns of tenants for a worker that may not take every row: one that holds a suspect leaves the others where they are. Programs before
-- this script ask with five arguments, and take every row.
create function keelback.by_turns(lane smallint, prio smallint, mark bigint, served text, most int, most_crashes smallint)
returns table (id tid, crashes smallint) language plpgsql volatile set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
    tenants text[] := '{}';
    last_seen text collate "C" := coalesce(served, '');
    wrapped bool := false;
    found_one text collate "C";
begin
    if most <= 0 then return; end if;
    loop
        found_one := (select r.tenant from keelback.ready r
            where r.queue = lane and r.queue < 0 and r.priority = prio and r.tenant > last_seen and r.crashes <= most_crashes order by r.tenant limit 1);
        if found_one is null or wrapped and found_one > coalesce(served, '') then
            exit when wrapped;
            wrapped := true;
            last_seen := '';
            continue when not exists (select from keelback.ready r where r.queue = -lane and r.priority = prio and r.seq > mark and r.crashes <= most_crashes);
            found_one := '';
        end if;

        tenants := tenants || found_one;
        exit when cardinality(tenants) = most;
        last_seen := found_one;
    end loop;

    if tenants = '{}' then return; end if; -- a plan for no tenants would divide by their number

    return query
        select head.ctid, head.crashes
        from unnest(tenants) with ordinality u (tenant, turn)
        cross join lateral (
            select h.ctid, h.crashes, row_number() over () as n
            from (
                select t.ctid, t.crashes from (
                    select r.ctid, r.crashes from keelback.ready r
                    where r.queue = lane and r.queue < 0 and r.priority = prio and r.tenant = u.tenant and r.crashes <= most_crashes
                    order by r.seq
                    limit (most + cardinality(tenants) - 1) / cardinality(tenants)
                    for update skip locked) t
                union all
                select p.ctid, p.crashes from (
                    select r.ctid, r.crashes from keelback.ready r
                    where u.tenant = '' and r.queue = -lane and r.priority = prio and r.seq > mark and r.crashes <= most_crashes
                    order by r.seq
                    limit (most + cardinality(tenants) - 1) / cardinality(tenants)
                    for update skip locked) p) h) head
        order by head.n, u.turn
        limit most;
end $$;

create or replace function keelback.by_turns(lane smallint, prio smallint, mark bigint, served text, most int) returns setof tid language sql volatile as
'select id from keelback.by_turns(lane, prio, mark, served, most, 32767::smallint)';
