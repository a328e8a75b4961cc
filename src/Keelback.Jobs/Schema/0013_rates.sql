-- Starts of a clock that was put back: those less than a window ahead still count, so that a small correction lets no more through than the limit
-- says; those further ahead do not, so that no key stays closed for as long as the clock had leapt, but for two windows at most.
create or replace function keelback.room_of(bucket_id bigint, at timestamptz, out room int, out opens_at timestamptz)
language plpgsql volatile set enable_seqscan = off set jit = off as $$
declare
    b     keelback.bucket;
    r     record;
    i     int;
    k     bigint;
    had   bigint;
    first bigint;
begin
    room := 2147483647;
    select * into b from keelback.bucket where id = bucket_id;
    if left(b.key, 7) = '#queue:' then
        select q.slots, '{}'::int[] as starts, '{}'::bigint[] as windows into r from keelback.queue q where q.app = b.app and q.name = substr(b.key, 8);
    else
        select l.slots, l.starts, l.windows into r from keelback.limit_rule l where l.app = b.app and l.name = split_part(b.key, ':', 1);
    end if;
    if not found then return; end if; -- nobody says how many: as many as come

    if r.slots is not null then
        select r.slots - count(*) into room from keelback.slot s join keelback.claim c on c.run_id = s.run_id and c.token = s.token
        where s.bucket = b.id;
    end if;

    for i in 1 .. cardinality(r.windows) loop
        k := floor(extract(epoch from at) * 20000 / r.windows[i]);
        select coalesce(sum(n), 0), min(slice) into had, first from keelback.starts
        where bucket = b.id and window_ms = r.windows[i] and slice between k - 20 and k + 20;
        room := least(room, r.starts[i] - had);
        if had >= r.starts[i] then
            opens_at := greatest(opens_at, to_timestamp((first + 21) * r.windows[i] / 20000.0));
        end if;
    end loop;
end $$;
